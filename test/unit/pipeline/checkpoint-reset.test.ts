import { describe, expect, test } from 'vitest'
import { applyReset, planReset, type ResetOrder } from '../../../src/pipeline/checkpoint-reset.ts'
import { readCheckpoints } from '../../../src/pipeline/checkpoints.ts'
import { TablePatterns } from '../../../src/pipeline/table-patterns.ts'
import { MemoryChangeSource, MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables, tableOf } from '../../support/pipeline-world.ts'
import { testPorts } from '../../support/test-ports.ts'

const SIBLING = { topic: 'shop.public.sibling' }

function rows(topics: MemoryTopics, first: number, last: number): MemoryTopics {
  for (let id = first; id < last; id++) {
    topics.row('c', { id })
    topics.row('c', { id }, SIBLING)
  }
  return topics
}

async function afterTen() {
  const world = new PipelineWorld()
  const topics = rows(new MemoryTopics(), 0, 10)
  await world.run(topics)
  return { world, topics }
}

async function reset(world: PipelineWorld, topics: MemoryTopics, order: Partial<ResetOrder>) {
  const ranges = await new MemoryChangeSource(topics).partitions()
  const whole: ResetOrder = { tables: ['public.t'], topic: null, to: 'earliest', newEpoch: false, ...order }
  const steps = planReset(await readCheckpoints(world.store, 'default'), ranges, whole)
  await applyReset(testPorts(world.store), 'default', steps, whole, TablePatterns.ALL)
  return steps
}

describe('a table that is put back', () => {
  test('is read again from there beside the stream, and nothing of it changes', async () => {
    const { world, topics } = await afterTen()
    const before = await world.rows('public/t')
    const version = world.versions()['public/t']!
    await reset(world, topics, { to: 4n })
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 4n })
    rows(topics, 10, 12)
    const report = await world.run(topics)
    expect(stoppedTables(report)).toEqual({})
    expect((await world.rows('public/t')).filter(({ id }) => Number(id) < 10)).toEqual(before)
    expect(await world.ids('public/t')).toEqual([...Array(12).keys()])
    expect(tableOf(report, 'public.t')).toMatchObject({ inserts: 2, updates: 0, deletes: 0 })
    expect(tableOf(report, 'public.sibling')).toMatchObject({ inserts: 2 })
    expect(world.versions()['public/t']).toBe(version + 2)
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 12n })
  })

  test('leaves its siblings where they are', async () => {
    const { world, topics } = await afterTen()
    const versions = world.versions()
    await reset(world, topics, { to: 'earliest' })
    expect(world.versions()).toMatchObject({ 'public/sibling': versions['public/sibling'] })
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 10n, 'shop.public.sibling/0': 10n })
  })
})

test('a table that is put to the end skips what lies before', async () => {
  const { world, topics } = await afterTen()
  rows(topics, 10, 14)
  const steps = await reset(world, topics, { to: 'latest' })
  expect(steps).toMatchObject([{ from: 10n, to: 14n }])
  rows(topics, 14, 15)
  await world.run(topics)
  expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14])
  expect(await world.ids('public/sibling')).toHaveLength(15)
})

test('a whole pipeline is put back with its mark, also onto a topic that was made anew', async () => {
  const { world } = await afterTen()
  const topics = rows(new MemoryTopics(), 0, 3)
  expect(Object.values(stoppedTables(await world.run(topics)))).toEqual(['E_OFFSET_GAP', 'E_OFFSET_GAP'])
  await reset(world, topics, { tables: null })
  expect(await world.mark()).toEqual({ 'shop.public.t/0': 0n, 'shop.public.sibling/0': 0n })
  for (let more = 3; more < 14; more++) rows(topics, more, more + 1)
  const report = await world.run(topics)
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual([...Array(14).keys()])
  expect(await world.mark()).toEqual({ 'shop.public.t/0': 14n, 'shop.public.sibling/0': 14n })
})

test('only partitions of a named topic are moved', async () => {
  const { world, topics } = await afterTen()
  const steps = await reset(world, topics, { tables: null, topic: 'shop.public.sibling' })
  expect(steps.map(({ table, topic }) => [table?.name ?? null, topic])).toEqual([
    ['public.sibling', 'shop.public.sibling'],
    [null, 'shop.public.sibling'],
  ])
})

test('an offset that the topic does not hold is refused', async () => {
  const { world, topics } = await afterTen()
  await expect(reset(world, topics, { to: 11n })).rejects.toMatchObject({ code: 'E_RESET', remedy: 'usage' })
})

describe('a new epoch', () => {
  /** After a failover positions begin low again, at a later time. */
  const AFTER = { source: { lsn: '5', sequence: JSON.stringify('["1","5"]'), ts_us: '1772368215999999' } }

  test('lets events after a failover beat all that came before, over restarts too', async () => {
    const { world, topics } = await afterTen()
    topics.row('u', { id: 3, v: 'new' }, AFTER)
    expect(stoppedTables(await world.run(topics))).toEqual({ 'public.t': 'E_HISTORY_BROKE' })
    await reset(world, topics, { to: 10n, newEpoch: true })
    expect(stoppedTables(await world.run(topics))).toEqual({})
    const row = (id: number) =>
      world.rows('public/t').then((all) => all.find((each) => Number(each['id']) === id)!)
    expect(await row(3)).toMatchObject({ v: 'new', _cdc_lsn: 5n })
    expect(Number((await row(3))['_cdc_epoch'])).toBe(1)
    expect(Number((await row(4))['_cdc_epoch'])).toBe(0)
    topics.row('u', { id: 4, v: 'newer' }, AFTER)
    expect(stoppedTables(await world.run(topics))).toEqual({})
    expect(Number((await row(4))['_cdc_epoch'])).toBe(1)
  })

  test('begins in each partition where the new history does, and is one epoch', async () => {
    const world = new PipelineWorld()
    const topics = new MemoryTopics()
    for (let id = 0; id < 10; id++) topics.row('c', { id }, { partition: id % 2 })
    await world.run(topics)
    topics.row('u', { id: 2, v: 'new' }, { ...AFTER, partition: 0 })
    topics.row('u', { id: 4, v: 'new' }, { ...AFTER, partition: 0 })
    topics.row('u', { id: 3, v: 'new' }, { ...AFTER, partition: 1 })
    expect(stoppedTables(await world.run(topics))).toEqual({ 'public.t': 'E_HISTORY_BROKE' })
    const to = new Map([
      [0, 5n],
      [1, 5n],
    ])
    const steps = await reset(world, topics, { to, newEpoch: true })
    expect(steps.map(({ partition, to: place }) => [partition, place])).toEqual([...to])
    expect(await reset(world, topics, { to: new Map([[1, 5n]]) })).toHaveLength(1)
    expect(stoppedTables(await world.run(topics))).toEqual({})
    const lifted = (await world.rows('public/t')).filter((row) => Number(row['_cdc_epoch']) === 1)
    expect(lifted.map(({ id, v }) => [Number(id), v]).sort()).toEqual([2, 3, 4].map((id) => [id, 'new']))
  })

  test('does not lift what was read before it', async () => {
    const { world, topics } = await afterTen()
    topics.row('u', { id: 3, v: 'new' }, AFTER)
    await world.run(topics)
    await reset(world, topics, { to: 10n, newEpoch: true })
    await world.run(topics)
    await reset(world, topics, { to: 'earliest' })
    const report = await world.run(topics)
    expect(tableOf(report, 'public.t')).toMatchObject({ inserts: 0, updates: 0, deletes: 0, stopped: null })
  })
})
