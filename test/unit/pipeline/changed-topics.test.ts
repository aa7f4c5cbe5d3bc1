import { describe, expect, test } from 'vitest'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables, tableOf } from '../../support/pipeline-world.ts'

const SIBLING = { topic: 'shop.public.sibling' }

/** `count` rows of `public.t` and as many of its sibling, from `id` on. */
function rows(topics: MemoryTopics, id: number, count: number): MemoryTopics {
  for (let i = id; i < id + count; i++) {
    topics.row('c', { id: i })
    topics.row('c', { id: i }, SIBLING)
  }
  return topics
}

/** A world in which 10 rows of each table were taken in, and the topics then became others. */
async function afterTenRows(): Promise<PipelineWorld> {
  const world = new PipelineWorld()
  await world.run(rows(new MemoryTopics(), 0, 10))
  return world
}

/** Topics of which `shop.public.t` is not what it was: the sibling goes on where it stood. */
function withSibling(change: (topics: MemoryTopics) => void): MemoryTopics {
  const topics = new MemoryTopics()
  change(topics)
  for (let id = 0; id < 12; id++) topics.row('c', { id }, SIBLING)
  return topics
}

describe('a topic that is not what it was', () => {
  test('made anew with as many records: the fingerprint tells', async () => {
    const world = await afterTenRows()
    const topics = withSibling((made) => {
      for (let id = 100; id < 110; id++) made.row('c', { id })
    })
    await expectStopped(world, topics, 'E_TOPIC_RECREATED')
  })

  test('made anew with more records: the fingerprint tells', async () => {
    const world = await afterTenRows()
    const topics = withSibling((made) => {
      for (let id = 100; id < 125; id++) made.row('c', { id })
      made.tombstone(100)
      made.raw('{')
    })
    const report = await expectStopped(world, topics, 'E_TOPIC_RECREATED')
    expect(report.tally).toMatchObject({ parked: 17, tombstones: 0 })
  })

  test('made anew with fewer records: it ends before our position', async () => {
    const world = await afterTenRows()
    const topics = withSibling((made) => {
      for (let id = 100; id < 104; id++) made.row('c', { id })
    })
    const report = await expectStopped(world, topics, 'E_OFFSET_GAP')
    expect(tableOf(report, 'public.t').stopped!.message).toMatch(/ends at 4, before our position 10/)
  })

  test.each([
    ['as far', 6],
    ['further', 9],
    ['less far', 2],
  ])('whose end was lost with its leader, and written anew %s', async (_, count) => {
    const world = await afterTenRows()
    const topics = withSibling((kept) => {
      for (let id = 0; id < 4; id++) kept.row('c', { id })
      for (let id = 100; id < 100 + count; id++) kept.row('c', { id })
    })
    await expectStopped(world, topics, count < 6 ? 'E_OFFSET_GAP' : 'E_TOPIC_RECREATED')
  })

  test('made anew and empty', async () => {
    const world = await afterTenRows()
    const topics = withSibling((made) => made.partitions.set('shop.public.t/0', []))
    await expectStopped(world, topics, 'E_OFFSET_GAP')
  })

  test('cut at its start, beyond our position', async () => {
    const world = await afterTenRows()
    const topics = withSibling((made) => {
      for (let id = 0; id < 20; id++) made.row('c', { id })
      made.cutBefore(15n)
    })
    const report = await expectStopped(world, topics, 'E_OFFSET_GAP')
    expect(tableOf(report, 'public.t').stopped!.message).toMatch(/records 10 to 14 are gone/)
  })

  test('cut at its start, at our position, is what it was', async () => {
    const world = await afterTenRows()
    const topics = withSibling((made) => {
      for (let id = 0; id < 20; id++) made.row('c', { id })
      made.cutBefore(10n)
    })
    expect(stoppedTables(await world.run(topics))).toEqual({})
    expect(await world.ids('public/t')).toEqual(Array.from({ length: 20 }, (_, id) => id))
  })

  test('what waited in the buffer from another partition is made durable before the table stops', async () => {
    const world = new PipelineWorld()
    const before = new MemoryTopics()
    for (let id = 0; id < 4; id++) before.row('c', { id }, { partition: id % 2 })
    await world.run(before)
    const topics = new MemoryTopics()
    for (let id = 0; id < 8; id += 2) topics.row('c', { id })
    for (let id = 101; id < 109; id += 2) topics.row('c', { id }, { partition: 1 })
    const report = await world.run(topics)
    expect(stoppedTables(report)).toEqual({ 'public.t': 'E_TOPIC_RECREATED' })
    expect(report.tally).toMatchObject({ applied: 2, parked: 2 })
    expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 6])
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 2n, 'shop.public.t/1': 2n })
  })

  test('made anew while rows still waited in a buffer: the mark behind the last commit has its fingerprint', async () => {
    const world = new PipelineWorld()
    const before = new MemoryTopics()
    for (let id = 0; id < 12; id++) before.row('c', { id })
    const beforeBatch = (batch: number) => {
      world.clock.advance(30_000)
      if (batch === 11) throw new Error('power cut')
    }
    const dying = world.run(before, { batch: { rows: 4 }, batchRecords: 1, beforeBatch })
    await expect(dying).rejects.toThrow('power cut')
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 8n })
    const topics = withSibling((made) => {
      for (let id = 100; id < 120; id++) made.row('c', { id })
    })
    await expectStopped(world, topics, 'E_TOPIC_RECREATED')
  })

  test('made anew while a table stood still: the mark that it holds has its fingerprint', async () => {
    const world = new PipelineWorld()
    const before = new MemoryTopics()
    for (let id = 0; id < 5; id++) before.row('c', { id })
    before.row('c', { id: 5, x: 1, X: 1 })
    for (let id = 6; id < 9; id++) before.row('c', { id })
    await world.run(before, { batch: { rows: 1 } })
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 5n })
    const topics = withSibling((made) => {
      for (let id = 100; id < 120; id++) made.row('c', { id })
    })
    await expectStopped(world, topics, 'E_TOPIC_RECREATED')
  })

  test('stops every table that `topics` feeds from it', async () => {
    const tables = { 'public.named': { topics: ['raw-*'] } }
    const source = { schema: '"public"', table: '"named"' }
    const world = new PipelineWorld()
    const before = new MemoryTopics()
    for (let id = 0; id < 3; id++) before.row('c', { id }, { topic: 'raw-1', source })
    await world.run(before, { tables })
    const topics = new MemoryTopics()
    for (let id = 10; id < 14; id++) topics.row('c', { id }, { topic: 'raw-1', source })
    expect(stoppedTables(await world.run(topics, { tables }))).toEqual({
      'public.named': 'E_TOPIC_RECREATED',
    })
    expect(await world.ids('public/named')).toEqual([0, 1, 2])
  })
})

describe('a table that is ahead of the mark, because its process died', () => {
  /** Ten rows in the table, and no passed mark. */
  async function withoutMark(): Promise<PipelineWorld> {
    const world = await afterTenRows()
    for (const path of world.store.objects.keys())
      if (path.startsWith('_alluvium/')) world.store.objects.delete(path)
    return world
  }

  test('goes on from its own position', async () => {
    const world = await withoutMark()
    const report = await world.run(rows(new MemoryTopics(), 0, 12))
    expect(report.tally).toMatchObject({ applied: 4, duplicates: 20 })
    expect(await world.ids('public/t')).toHaveLength(12)
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 12n, 'shop.public.sibling/0': 12n })
  })

  test('stops when the records after it are gone from the topic', async () => {
    const world = await withoutMark()
    const topics = withSibling((made) => {
      for (let id = 0; id < 20; id++) made.row('c', { id })
      made.cutBefore(15n)
    })
    await expectStopped(world, topics, 'E_OFFSET_GAP')
  })

  test('stops when the topic ends before its position', async () => {
    const world = await withoutMark()
    const topics = withSibling((made) => {
      for (let id = 0; id < 4; id++) made.row('c', { id })
    })
    await expectStopped(world, topics, 'E_OFFSET_GAP')
  })

  test.each([
    { name: 'gone', cut: 15n, records: 20 },
    { name: 'never there', cut: 0n, records: 4 },
  ])(
    'stops also when only its first record tells where it lies (records $name)',
    async ({ cut, records }) => {
      const template = { tablePath: '{sourceName}/{schema}/{table}' }
      const world = new PipelineWorld()
      await world.run(rows(new MemoryTopics(), 0, 10), template)
      for (const path of world.store.objects.keys())
        if (path.startsWith('_alluvium/')) world.store.objects.delete(path)
      const topics = withSibling((made) => {
        for (let id = 0; id < records; id++) made.row('c', { id })
        made.cutBefore(cut)
      })
      expect(stoppedTables(await world.run(topics, template))).toEqual({ 'public.t': 'E_OFFSET_GAP' })
      expect(await world.progress('shop/public/t')).toEqual({ 'shop.public.t/0': 10n })
      expect(await world.ids('shop/public/sibling')).toHaveLength(12)
      expect((await world.mark())['shop.public.t/0']).toBeUndefined()
    },
  )

  test('does not stop for a sibling on its topic that has a gap', async () => {
    const tables = { 'public.a': { topics: ['mixed'] }, 'public.b': { topics: ['mixed'] } }
    const a = { topic: 'mixed', source: { schema: '"public"', table: '"a"' } }
    const b = { topic: 'mixed', source: { schema: '"public"', table: '"b"' } }
    const world = new PipelineWorld()
    const topics = new MemoryTopics()
    topics.row('c', { id: 0 }, a)
    topics.row('c', { id: 0 }, b)
    topics.row('c', { id: 1, x: 1, X: 1 }, b)
    for (let id = 1; id < 6; id++) topics.row('c', { id }, a)
    const stopped = { 'public.b': 'E_COLUMN_NAME' }
    expect(stoppedTables(await world.run(topics, { tables, batch: { rows: 1 } }))).toEqual(stopped)
    expect(await world.progress('public/b')).toEqual({ 'mixed/0': 2n })
    expect(await world.progress('public/a')).toEqual({ 'mixed/0': 8n })
    topics.row('c', { id: 7 }, a)
    topics.row('c', { id: 7 }, b)
    topics.cutBefore(6n, a)
    expect(stoppedTables(await world.run(topics, { tables }))).toEqual({ 'public.b': 'E_OFFSET_GAP' })
    expect(await world.ids('public/a')).toEqual([0, 1, 2, 3, 4, 5, 7])
    expect(await world.ids('public/b')).toEqual([0])
    expect(await world.mark()).toEqual({ 'mixed/0': 2n })
  })
})

test('a gap is not forgotten by the next run', async () => {
  const world = await afterTenRows()
  const topics = withSibling((made) => {
    for (let id = 0; id < 20; id++) made.row('c', { id })
    made.cutBefore(15n)
  })
  for (let run = 0; run < 3; run++) {
    expect(stoppedTables(await world.run(topics))).toEqual({ 'public.t': 'E_OFFSET_GAP' })
    expect((await world.mark())['shop.public.t/0']).toBe(10n)
  }
})

test('a partition that comes while the pipeline runs is read from its mark on', async () => {
  const world = await afterTenRows()
  const topics = new MemoryTopics()
  const late = rows(new MemoryTopics(), 0, 15).partitions.get('shop.public.t/0')!
  for (let id = 0; id < 12; id++) topics.row('c', { id }, SIBLING)
  const report = await world.run(topics, {
    batchRecords: 3,
    beforeBatch: () => void topics.partitions.set('shop.public.t/0', late),
  })
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toHaveLength(15)
  expect(tableOf(report, 'public.t').inserts).toBe(5)
})

async function expectStopped(world: PipelineWorld, topics: MemoryTopics, code: string) {
  const before = await world.rows('public/t')
  const mark = (await world.mark())['shop.public.t/0']
  const report = await world.run(topics, { batch: { rows: 3 } })
  expect(stoppedTables(report)).toEqual({ 'public.t': code })
  expect(await world.rows('public/t')).toEqual(before)
  expect((await world.mark())['shop.public.t/0']).toEqual(mark)
  expect(report.tally.deadLetters).toBe(0)
  expect(await world.ids('public/sibling')).toHaveLength(12)
  return report
}
