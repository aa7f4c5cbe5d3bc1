import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../core/errors.ts'
import type { RawRecord } from '../../../core/ports.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables, type WorldRun } from '../../support/pipeline-world.ts'

/** Rows of `public.t`, one a record. */
function rowsOf(count: number, text = ''): MemoryTopics {
  const topics = new MemoryTopics()
  for (let id = 0; id < count; id++) topics.row('c', { id, text })
  return topics
}

/** Runs a source that never ends until `steps` of it are done; `atStep` runs before each. */
async function follow(
  world: PipelineWorld,
  topics: MemoryTopics,
  steps: number,
  atStep: (step: number) => void,
  options: WorldRun = {},
) {
  const stop = new AbortController()
  const beforeBatch = (step: number) => {
    atStep(step)
    if (step === steps) stop.abort()
  }
  return world.run(topics, { ...options, beforeBatch, signal: stop.signal })
}

describe('a batch closes', () => {
  test('when it has its rows, one commit each', async () => {
    const world = new PipelineWorld()
    await world.run(rowsOf(25), { batch: { rows: 10 } })
    expect(world.versions()['public/t']).toBe(2)
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 25n })
  })

  test('when it has its bytes', async () => {
    const world = new PipelineWorld()
    const topics = rowsOf(10, 'x'.repeat(1000))
    const [{ key, value }] = topics.partitions.get('shop.public.t/0') as [RawRecord]
    const bytes = 2 * (key!.length + value!.length)
    await world.run(topics, { batch: { bytes }, batchRecords: 10 })
    expect(world.versions()['public/t']).toBe(4)
  })

  test('when its oldest row has its age, though few came', async () => {
    const world = new PipelineWorld()
    const seen: (number | undefined)[] = []
    const atStep = (step: number) => {
      seen.push(world.versions()['public/t'])
      if (step > 0) world.clock.advance(step === 3 ? 1 : 300)
    }
    const report = await follow(world, rowsOf(1), 6, atStep, { batch: { ageMs: 601 } })
    expect(seen).toEqual([undefined, undefined, undefined, undefined, 0, 0, 0])
    expect(report.tally.applied).toBe(1)
  })

  test('by the clock that never jumps', async () => {
    const world = new PipelineWorld()
    const atStep = (step: number) => {
      world.clock.wallMs += step % 2 === 0 ? 3_600_000 : -7_200_000
      expect(world.versions()['public/t']).toBeUndefined()
    }
    await follow(world, rowsOf(1), 5, atStep, { batch: { ageMs: 1000 } })
    expect(world.versions()['public/t']).toBe(0)
  })

  test('before a TRUNCATE and after it', async () => {
    const topics = rowsOf(3)
    topics.truncate()
    topics.row('c', { id: 7, text: '' })
    topics.truncate()
    topics.row('c', { id: 8, text: '' })
    topics.row('c', { id: 9, text: '' })
    const world = new PipelineWorld()
    const report = await world.run(topics)
    expect(await world.ids('public/t')).toEqual([8, 9])
    expect(world.versions()['public/t']).toBe(4)
    expect(report.tally.applied).toBe(8)
  })

  test('when the run is told to end', async () => {
    const world = new PipelineWorld()
    const report = await follow(world, rowsOf(3), 1, () => {})
    expect(report).toMatchObject({ records: 3, tables: [{ name: 'public.t', rows: 3, version: 0 }] })
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 3n })
  })

  test('when all tables together hold more than there is room for, the fullest first', async () => {
    const world = new PipelineWorld()
    const topics = new MemoryTopics()
    // Headers count as bytes, and the same megabyte can be had a hundred times.
    const headers = [['h', Buffer.alloc(1 << 20)]] as const
    topics.row('c', { id: 0 }, { topic: 'shop.public.small' })
    for (let id = 0; id < 140; id++) {
      const topic = id % 5 === 0 ? 'shop.public.lesser' : 'shop.public.t'
      const record = topics.row('c', { id }, { topic })
      topics.partitions.get(`${topic}/0`)!.splice(-1, 1, { ...record, headers })
    }
    const buffered: Record<string, number>[] = []
    const beforeBatch = () => void buffered.push(world.versions())
    await world.run(topics, { batchRecords: 1, beforeBatch })
    const first = buffered.find((versions) => Object.keys(versions).length > 0)
    expect(first).toEqual({ 'public/t': 0 })
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 112n })
    expect(world.versions()).toMatchObject({ 'public/small': 0, 'public/lesser': 0, 'public/t': 3 })
  })
})

describe('dead letters', () => {
  const TABLES = { '*': { deadLetters: { maxShare: 1 } } }

  function lettersOf(count: number, length = 10): MemoryTopics {
    const topics = new MemoryTopics()
    for (let n = 0; n < count; n++) topics.raw('{'.repeat(length))
    return topics
  }

  test('close a batch by its rows and bytes, like a table', async () => {
    const byRows = new PipelineWorld()
    await byRows.run(lettersOf(25), { tables: TABLES, batch: { rows: 10 } })
    expect(byRows.versions()['_dlq']).toBe(2)
    const byBytes = new PipelineWorld()
    await byBytes.run(lettersOf(10, 1000), { tables: TABLES, batch: { bytes: 3000 } })
    expect(byBytes.versions()['_dlq']).toBe(3)
    expect(await byBytes.letters()).toHaveLength(10)
  })

  test('close a batch by its age, also where no table has news', async () => {
    const world = new PipelineWorld()
    const seen: (number | undefined)[] = []
    const atStep = (step: number) => {
      seen.push(world.versions()['_dlq'])
      if (step > 0) world.clock.advance(500)
    }
    await follow(world, lettersOf(1), 4, atStep, { batch: { ageMs: 1000 } })
    expect(seen).toEqual([undefined, undefined, undefined, 0, 0])
  })

  test('that cannot be kept stop the run, before a table has passed them', async () => {
    const topics = rowsOf(3)
    topics.raw('{')
    topics.row('c', { id: 3 })
    const world = new PipelineWorld()
    world.store.before = (operation, _, path) => {
      if (operation === 'put' && path.startsWith('_dlq/'))
        throw new EngineError('E_TEST', 'stop-table', 'full')
    }
    await expect(world.run(topics, { batch: { rows: 2 } })).rejects.toMatchObject({
      code: 'E_TEST',
      remedy: 'stop',
      message: expect.stringMatching(/dead letters cannot be kept: full/),
    })
    expect(await world.progress('public/t')).toEqual({ 'shop.public.t/0': 2n })
    expect(await world.mark()).toEqual({})
    world.store.before = () => {}
    await world.run(topics)
    expect(await world.letters()).toHaveLength(1)
    expect(await world.ids('public/t')).toEqual([0, 1, 2, 3])
  })

  test('keep key, value and headers byte for byte, and say whose they are', async () => {
    const topics = new MemoryTopics()
    const bytes = Buffer.from([0xff, 0, 0x7b, 0x0a])
    const headers = [
      ['twice', Buffer.from('a')],
      ['twice', null],
      ['', bytes],
    ] as const
    topics.append({ key: bytes, value: Buffer.from('{"'), headers }, { partition: 3 })
    topics.event({ after: '{"id":1}', key: '{"id":2}' })
    const world = new PipelineWorld()
    await world.run(topics)
    const letters = await world.letters()
    expect(letters.map(({ partition, table, reason }) => ({ partition, table, reason }))).toEqual([
      { partition: 0, table: 'public.t', reason: 'KEY_MISMATCH' },
      { partition: 3, table: null, reason: 'BAD_JSON' },
    ])
    expect(Buffer.from(letters[1]!['key'] as Uint8Array)).toEqual(bytes)
    const stored = letters[1]!['headers'] as readonly (readonly [string, Uint8Array | null])[]
    expect(stored.map(([name, value]) => [name, value === null ? null : Buffer.from(value)])).toEqual(headers)
    expect(letters[1]!['message']).not.toContain('{"')
  })
})

test('a table whose log is damaged stops, and its siblings go on', async () => {
  const world = new PipelineWorld()
  const topics = rowsOf(3)
  for (let id = 0; id < 3; id++) topics.row('c', { id }, { topic: 'shop.public.sibling' })
  await world.run(topics, { batch: { rows: 1 } })
  world.store.objects.delete('public/t/_delta_log/00000000000000000001.json')
  topics.row('c', { id: 3 })
  topics.row('c', { id: 3 }, { topic: 'shop.public.sibling' })
  const report = await world.run(topics)
  expect(stoppedTables(report)).toEqual({ 'public.t': 'E_LOG_GAP' })
  expect(report.tally).toMatchObject({ applied: 1, parked: 1 })
  expect(await world.ids('public/sibling')).toEqual([0, 1, 2, 3])
  expect(await world.mark()).toEqual({ 'shop.public.t/0': 3n, 'shop.public.sibling/0': 4n })
})
