import { describe, expect, test } from 'vitest'
import type { ReadOptions, RecordBatch } from '../../../core/ports.ts'
import { GatedStore } from '../../support/gated-store.ts'
import { MemoryChangeSource, MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld } from '../../support/pipeline-world.ts'
import { SLOW, turns, twoTables } from '../../support/two-tables.ts'

const MARK_EVERY_MS = 30_000

describe('a flush that does not come to its end', () => {
  test('holds no other table', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close('public/slow/')
    const seen: (number | undefined)[] = []
    const beforeBatch = (batch: number) => {
      seen.push(world.versions()['public/t'])
      if (batch === 7) store.close()
    }
    await world.run(twoTables(4), { store, batch: { rows: 2 }, batchRecords: 1, beforeBatch })
    expect(seen.at(-1)).toBe(1)
    expect(world.versions()).toMatchObject({ 'public/t': 1, 'public/slow': 1 })
  })

  test('lets its table fill one more batch, and then the source is not asked any more', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close('public/slow/')
    let batches = 0
    const topics = twoTables(20)
    const run = world.run(topics, {
      ...{ store, batch: { rows: 2 }, batchRecords: 1, tables: { '*': { merging: 'off' as const } } },
      beforeBatch: () => void batches++,
    })
    await turns(200)
    // Rows 0 and 1 are in flight, 2 and 3 wait: the fourth row of the table is the last that is taken.
    expect(batches).toBe(8)
    expect(store.inFlight.filter((path) => path.startsWith('public/slow/'))).toHaveLength(1)
    store.close()
    const report = await run
    expect(report.tally.applied).toBe(40)
    expect(world.versions()).toMatchObject({ 'public/t': 9, 'public/slow': 9 })
  })

  test('leaves the age of other tables what it is, also while nothing more is taken', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close('public/slow/')
    const topics = new MemoryTopics()
    topics.row('c', { id: 0 })
    for (let id = 0; id < 6; id++) topics.row('c', { id }, SLOW)
    const startedMs = world.clock.ranMs
    const run = world.run(topics, { store, batch: { rows: 3, ageMs: 1000 }, batchRecords: 6 })
    await turns(50)
    expect(world.versions()).toMatchObject({ 'public/t': 0 })
    expect(world.clock.ranMs - startedMs).toBe(1000)
    store.close()
    expect((await run).tally.applied).toBe(7)
  })

  test('holds the mark back, and the mark holds nobody', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close('_alluvium/default/_delta_log/')
    const seen: (number | undefined)[] = []
    const beforeBatch = (batch: number) => {
      world.clock.advance(MARK_EVERY_MS)
      seen.push(world.versions()['public/t'])
      if (batch === 9) store.close()
    }
    await world.run(twoTables(5), { store, batch: { rows: 1 }, batchRecords: 1, beforeBatch })
    expect(seen.at(-1)).toBe(4)
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 5n, 'shop.public.slow/0': 5n })
  })
})

describe('flushes of many tables', () => {
  test('that are due at the same moment are made side by side, a few at a time, and each gets its turn', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    const topics = new MemoryTopics()
    const TABLES = 1000
    for (let n = 0; n < TABLES; n++) topics.row('c', { id: n }, { topic: `shop.public.t${n}` })
    const stop = new AbortController()
    const beforeBatch = (batch: number) => {
      if (batch === TABLES) world.clock.advance(1000)
      if (batch > TABLES && Object.keys(world.versions()).length === TABLES) stop.abort()
    }
    const report = await world.run(topics, {
      store,
      batch: { ageMs: 1000 },
      beforeBatch,
      signal: stop.signal,
    })
    expect(report.tally.applied).toBe(TABLES)
    expect(store.inFlightMax).toBe(8)
  })

  test('hold no more bytes than there is room for, in flight or not', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close('public/')
    const topics = new MemoryTopics()
    const headers = [['h', Buffer.alloc(1 << 20)]] as const
    for (let id = 0; id < 400; id++) {
      const topic = `shop.public.t${id % 40}`
      const record = topics.row('c', { id }, { topic })
      topics.partitions.get(`${topic}/0`)!.splice(-1, 1, { ...record, headers })
    }
    let taken = 0
    const run = world.run(topics, { store, batchRecords: 1, beforeBatch: () => void taken++ })
    await turns(1000)
    expect(taken).toBe(128)
    store.close()
    expect((await run).tally.applied).toBe(400)
  })
})

describe('partitions that go while their table is being flushed', () => {
  /** Hands out all records, gives the partition of the slow table away, and says when that was accepted. */
  class LeavingSource extends MemoryChangeSource {
    hasLeft = false

    override async *read(options: ReadOptions): AsyncGenerator<RecordBatch | null> {
      yield* super.read(options)
      await options.onRevoked([{ ...SLOW, partition: 0 }])
      this.hasLeft = true
      yield null
    }
  }

  test('are let go of when it has come to its end, and nothing more of them is written', async () => {
    const world = new PipelineWorld()
    const store = new GatedStore(world.store)
    store.close('public/slow/_delta_log/')
    const topics = twoTables(3)
    const source = new LeavingSource(topics)
    const run = world.run(topics, { store, source, batch: { rows: 2 } })
    await turns(50)
    expect(source.hasLeft).toBe(false)
    store.close()
    const report = await run
    expect(report.tally).toMatchObject({ applied: 5, parked: 1 })
    expect(await world.ids('public/slow')).toEqual([0, 1])
    expect(await world.ids('public/t')).toEqual([0, 1, 2])
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 3n })
    expect(new Set(source.acks.flat().map(({ topic }) => topic))).toEqual(new Set(['shop.public.t']))
  })
})

test('a run that fails has nothing in flight any more when it says so', async () => {
  const world = new PipelineWorld()
  const store = new GatedStore(world.store)
  store.close('public/slow/')
  world.store.before = (operation, _, path) => {
    if (operation === 'put' && path.startsWith('public/t/')) throw new Error('our own bug')
  }
  let hasFailed = false
  const run = world.run(twoTables(2), { store, batch: { rows: 1 } }).catch((error: Error) => {
    hasFailed = true
    return error.message
  })
  await turns(1)
  expect(hasFailed).toBe(false)
  store.close()
  expect(await run).toBe('our own bug')
  expect(store.inFlight).toEqual([])
})
