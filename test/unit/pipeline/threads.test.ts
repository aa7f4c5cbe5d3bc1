import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { GatedStore } from '../../support/gated-store.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables, type WorldRun } from '../../support/pipeline-world.ts'

const TABLES = ['t', 'u', 'v', 'w'] as const
const TWO_TOPICS = { 'public.t': { topics: ['shop.public.t', 'old.t'] } }

/** Tables of which each has letters, and one is fed by two topics. */
function allKinds(): MemoryTopics {
  const topics = new MemoryTopics()
  for (let id = 0; id < 60; id++) {
    for (const table of TABLES) {
      topics.row(
        id % 3 === 2 ? 'u' : 'c',
        { id: id % 20 },
        { topic: `shop.public.${table}`, source: { table: `"${table}"` } },
      )
    }
    topics.row('c', { id: 100 + id }, { topic: 'old.t' })
    if (id % 20 === 7) for (const table of TABLES) topics.event({ op: '"x"', topic: `shop.public.${table}` })
  }
  return topics
}

async function lakeOf(options: WorldRun) {
  const world = new PipelineWorld()
  const report = await world.run(allKinds(), { tables: TWO_TOPICS, ...options })
  const rows = await Promise.all(TABLES.map((table) => world.rows(`public/${table}`)))
  const { tally, records, deadLetterReasons } = report
  return {
    ...{ rows, records, tally, deadLetterReasons },
    letters: await world.letters(),
    mark: await world.mark(),
    stopped: stoppedTables(report),
  }
}

describe('tables that are written in several threads', () => {
  test.each([1, 2, 3])('are what they are when one does it all (%i)', async (workers) => {
    const inline = await lakeOf({ batch: { rows: 7 }, batchRecords: 5 })
    expect(inline.letters).toHaveLength(12)
    expect(inline.stopped).toEqual({})
    expect(await lakeOf({ batch: { rows: 7 }, batchRecords: 5, workers })).toEqual(inline)
  })

  test('go on where a run of one thread left them, and the other way round', async () => {
    const world = new PipelineWorld()
    const topics = allKinds()
    await world.run(topics, { tables: TWO_TOPICS, workers: 2 })
    const versions = world.versions()
    const inline = await world.run(topics, { tables: TWO_TOPICS })
    const threads = await world.run(topics, { tables: TWO_TOPICS, workers: 3 })
    expect(inline.tally.applied + threads.tally.applied).toBe(0)
    expect(world.versions()).toEqual(versions)
  })

  test('leave a record of another topic where it is, as another process would', async () => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 }, { topic: 'shop.public.u', source: { table: '"u"' } })
    topics.row('c', { id: 2 }, { topic: 'shop.public.u', source: { table: '"t"' } })
    topics.row('c', { id: 3 })
    const world = new PipelineWorld()
    const report = await world.run(topics, { workers: 2 })
    expect(stoppedTables(report)).toEqual({ 'public.t': 'E_TABLE_OF_ANOTHER_TOPIC' })
    expect(report.tally).toMatchObject({ applied: 2, parked: 1 })
    expect(await world.mark()).toEqual({ 'shop.public.u/0': 1n, 'shop.public.t/0': 1n })
  })

  test('stop by themselves when most of their records are letters', async () => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 150; id++) {
      topics.event({ op: '"x"' })
      topics.row('c', { id }, { topic: 'shop.public.sibling' })
    }
    const world = new PipelineWorld()
    const report = await world.run(topics, { workers: 2, batchRecords: 10 })
    expect(stoppedTables(report)).toEqual({ 'public.t': 'E_DEAD_LETTER_STORM' })
    expect(report.tally).toMatchObject({ deadLetters: 100, parked: 50, applied: 150 })
    expect(await world.letters()).toHaveLength(100)
    expect(world.logged.map(({ fields }) => fields['code'])).toContain('E_DEAD_LETTER_STORM')
  })

  test('keep their letters before they pass them', async () => {
    const topics = new MemoryTopics()
    topics.event({ op: '"x"' })
    topics.row('c', { id: 1 })
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close('_dlq/')
    const run = world.run(topics, { store, workers: 2 })
    for (let i = 0; i < 100; i++) await turn()
    expect(await world.ids('public/t')).toEqual([])
    store.close()
    await run
    expect(await world.ids('public/t')).toEqual([1])
    expect(await world.letters()).toHaveLength(1)
  })

  test('lose nothing when a run is told to end and the store does not answer in time', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close('public/u/')
    const stop = new AbortController()
    const topics = allKinds()
    const run = world.run(topics, {
      store,
      tables: TWO_TOPICS,
      batch: { rows: 3 },
      batchRecords: 2,
      workers: 2,
      signal: stop.signal,
    })
    for (let i = 0; i < 300; i++) await turn()
    stop.abort()
    const report = await run
    expect(report.tally.parked).toBeGreaterThan(0)
    expect(await world.mark()).not.toHaveProperty(['shop.public.u/0'])
    store.close()
    for (let i = 0; i < 50; i++) await turn()
    await world.run(topics, { tables: TWO_TOPICS, workers: 2 })
    const { rows } = await lakeOf({})
    expect(await Promise.all(TABLES.map((table) => world.ids(`public/${table}`)))).toEqual(
      rows.map((of) => of.map((row) => Number(row['id'])).sort((a, b) => a - b)),
    )
  })
})
