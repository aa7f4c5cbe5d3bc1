import { describe, expect, test } from 'vitest'
import type { RawRecord } from '../../../core/ports.ts'
import { MemoryChangeSource, MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

const A = { topic: 'mixed', source: { schema: '"public"', table: '"a"' } }
const B = { topic: 'mixed', source: { schema: '"public"', table: '"b"' } }
const TABLES = { 'public.a': { topics: ['mixed'] }, 'public.b': { topics: ['mixed'] } }
const MARK_EVERY_MS = 30_000

/** Rows for two tables, of which one gets two of three; letters and tombstones among them. */
function mixedTopic(records: number): MemoryTopics {
  const topics = new MemoryTopics()
  for (let id = 0; id < records; id++) {
    if (id % 10 === 9) topics.raw('{', A)
    else if (id % 7 === 6) topics.tombstone(id, A)
    else topics.row('c', { id }, id % 3 === 0 ? B : A)
  }
  return topics
}

describe('the passed mark', () => {
  test('is never ahead of a table or of the letters', async () => {
    const topics = mixedTopic(120)
    const world = new PipelineWorld()
    const marks: bigint[] = []
    const check = async () => {
      world.clock.advance(MARK_EVERY_MS)
      const mark = (await world.mark())['mixed/0'] ?? 0n
      marks.push(mark)
      const durable = new Set([...(await world.ids('public/a')), ...(await world.ids('public/b'))])
      const letters = new Set((await world.letters()).map(({ offset }) => offset))
      for (const record of topics.partitions.get('mixed/0')!) {
        if (record.offset >= mark || record.value === null) continue
        const isDurable = isLetter(record) ? letters.has(record.offset) : durable.has(Number(record.offset))
        expect(isDurable, `record ${record.offset} below mark ${mark}`).toBe(true)
      }
    }
    await world.run(topics, { tables: TABLES, batch: { rows: 7 }, batchRecords: 5, beforeBatch: check })
    await check()
    expect(marks).toEqual([...marks].sort((a, b) => Number(a - b)))
    expect(new Set(marks).size).toBeGreaterThan(5)
    expect(marks.at(-1)).toBe(120n)
  })

  test('is written after 5 seconds, from then on every 30 when it has moved, and in the end', async () => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 10; id++) topics.row('c', { id })
    const world = new PipelineWorld()
    const versions: (number | undefined)[] = []
    const steps = [0, 4999, 1, 0, 29_999, 1, 10_000, 10_000, 9_999, 0]
    const beforeBatch = (batch: number) => {
      versions.push(world.versions()['_alluvium/default'])
      world.clock.advance(steps[batch]!)
    }
    await world.run(topics, { batch: { rows: 1 }, batchRecords: 1, beforeBatch })
    expect(versions).toEqual([undefined, undefined, undefined, 0, 0, 0, 1, 1, 1, 1])
    expect(world.versions()['_alluvium/default']).toBe(2)
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 10n })
  })

  test('is written the first time soon after it moves, however long nothing came', async () => {
    const topics = new MemoryTopics()
    const world = new PipelineWorld()
    const stop = new AbortController()
    const versions: (number | undefined)[] = []
    const beforeBatch = (batch: number) => {
      versions.push(world.versions()['_alluvium/default'])
      world.clock.advance(5000)
      if (batch === 3) topics.row('c', { id: 1 })
      if (batch === 7) stop.abort()
    }
    await world.run(topics, { batch: { rows: 1 }, beforeBatch, signal: stop.signal })
    expect(versions.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined])
    expect(versions[7]).toBe(0)
  })

  test('is not written while it does not move', async () => {
    const topics = mixedTopic(20)
    const world = new PipelineWorld()
    await world.run(topics, { tables: TABLES })
    const stop = new AbortController()
    const beforeBatch = (batch: number) => {
      world.clock.advance(MARK_EVERY_MS)
      if (batch === 5) stop.abort()
    }
    const report = await world.run(topics, { tables: TABLES, beforeBatch, signal: stop.signal })
    expect(report.records).toBe(0)
    expect(world.versions()['_alluvium/default']).toBe(0)
  })

  test('covers records that no table remembers', async () => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 })
    topics.delete(1)
    topics.tombstone(1)
    topics.heartbeat()
    topics.raw('{')
    topics.heartbeat({ topic: '__debezium-heartbeat.shop' })
    topics.event({ op: '"m"', after: null, topic: 'shop.message', source: { schema: '""', table: '""' } })
    const world = new PipelineWorld()
    await world.run(topics)
    expect(await world.mark()).toEqual({
      'shop.public.t/0': 5n,
      '__debezium-heartbeat.shop/0': 1n,
      'shop.message/0': 1n,
    })
    const versions = world.versions()
    expect(await world.run(topics)).toMatchObject({ records: 0, tables: [{ rows: 0 }] })
    expect(world.versions()).toEqual(versions)
  })

  test('passes offsets that hold no record, also where nothing follows them', async () => {
    const topics = new MemoryTopics()
    topics.row('c', { id: 1 })
    topics.skip(3)
    topics.row('c', { id: 2 })
    topics.skip(2)
    topics.skip(4, { topic: 'shop.public.empty' })
    const world = new PipelineWorld()
    await world.run(topics)
    const end = { 'shop.public.t/0': 7n, 'shop.public.empty/0': 4n }
    expect(await world.mark()).toEqual(end)
    const report = await world.run(topics)
    expect(report.records).toBe(0)
    expect(await world.mark()).toEqual(end)
    expect(await world.ids('public/t')).toEqual([1, 2])
  })

  test('is told to the broker, as it was written', async () => {
    const topics = mixedTopic(20)
    const source = new MemoryChangeSource(topics)
    await new PipelineWorld().run(topics, { tables: TABLES, source })
    expect(source.acks).toMatchObject([[{ topic: 'mixed', partition: 0, nextOffset: 20n }]])
  })

  test('is not held where a busy table had no more than a letter', async () => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 50; id++) topics.row('c', { id })
    topics.raw('{', { partition: 1 })
    for (let id = 1; id < 50; id++) topics.tombstone(id, { partition: 1 })
    const world = new PipelineWorld()
    const marks: Record<string, bigint>[] = []
    const beforeBatch = async () => {
      world.clock.advance(MARK_EVERY_MS)
      marks.push(await world.mark())
    }
    await world.run(topics, { batch: { rows: 7 }, batchRecords: 5, beforeBatch })
    // Rows waited in the buffer whenever a mark was written; it still moved, with the commits.
    expect(marks.map((mark) => mark['shop.public.t/1'])).toContain(25n)
  })

  test('of one pipeline is not that of another', async () => {
    const topics = mixedTopic(20)
    const world = new PipelineWorld()
    await world.run(topics, { tables: TABLES, pipeline: 'one' })
    const report = await world.run(topics, { tables: TABLES, pipeline: 'two' })
    expect(report.records).toBe(20)
    expect(await world.mark('one')).toEqual(await world.mark('two'))
  })

  test('is held back by a table that stopped, at the first record that it lacks', async () => {
    const topics = new MemoryTopics()
    for (let id = 0; id < 4; id++) topics.row('c', { id }, A)
    topics.row('c', { id: 4, x: 1, X: 1 }, B)
    for (let id = 5; id < 9; id++) topics.row('c', { id }, A)
    const world = new PipelineWorld()
    const beforeBatch = () => world.clock.advance(MARK_EVERY_MS)
    const report = await world.run(topics, {
      tables: TABLES,
      batch: { rows: 1 },
      batchRecords: 1,
      beforeBatch,
    })
    expect(stoppedTables(report)).toEqual({ 'public.b': 'E_COLUMN_NAME' })
    expect(await world.ids('public/a')).toHaveLength(8)
    expect(await world.mark()).toEqual({ 'mixed/0': 4n })
  })

  test('of a topic with a strange name is found again', async () => {
    for (const topic of [
      'a.public.t',
      'mark.public.t',
      'ünï cöde.public.t',
      '__proto__.public.t',
      '0.public.t',
    ]) {
      const topics = new MemoryTopics()
      for (let n = 0; n < 5; n++) topics.row('c', { n }, { topic, key: null })
      topics.tombstone(1, { topic })
      const world = new PipelineWorld()
      await world.run(topics)
      const second = await world.run(topics)
      expect(second.records, topic).toBe(0)
      expect(await world.rows('public/t')).toHaveLength(5)
    }
  })
})

function isLetter({ value }: RawRecord): boolean {
  return value !== null && value.length < 3
}

describe('a truncate of a table that is not there yet', () => {
  const EARLIER = {
    topic: 'shop.public.other',
    source: { schema: '"public"', table: '"t"', lsn: '500', sequence: JSON.stringify('["495","500"]') },
  }
  const TWO_TOPICS = { tables: { 'public.t': { topics: ['shop.public.t', 'shop.public.other'] } } }

  test('holds after a restart for what comes from before it', async () => {
    const world = new PipelineWorld()
    const topics = new MemoryTopics()
    topics.truncate()
    await world.run(topics, TWO_TOPICS)
    expect(Object.keys(world.versions())).toEqual(['_alluvium/default'])
    topics.row('c', { id: 1 }, EARLIER)
    topics.row('c', { id: 2 })
    const report = await world.run(topics, TWO_TOPICS)
    expect(report.tally).toMatchObject({ applied: 1, stale: 1 })
    expect(await world.ids('public/t')).toEqual([2])
    topics.row('c', { id: 3 }, EARLIER)
    await world.run(topics, TWO_TOPICS)
    expect(await world.ids('public/t')).toEqual([2])
  })
})
