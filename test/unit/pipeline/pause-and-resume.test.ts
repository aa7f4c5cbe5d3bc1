import { describe, expect, test } from 'vitest'
import type { Ask } from '../../../src/pipeline/request.ts'
import type { RequestBox } from '../../../src/pipeline/request-box.ts'
import { liveRun, requestBoxOf } from '../../support/live-run.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables, tableOf } from '../../support/pipeline-world.ts'

const HOUR_MS = 3_600_000
const LOOK_EVERY_MS = 5000
const SIBLING = { topic: 'shop.public.sibling' }
const PAUSE: Ask = { kind: 'pause', table: 'public.t' }

function resume(acceptGap = false): Ask {
  return { kind: 'resume', table: 'public.t', acceptGap }
}

/** Rows for a table and its sibling. */
function rows(topics: MemoryTopics, first: number, last: number): MemoryTopics {
  for (let id = first; id < last; id++) {
    topics.row('c', { id })
    topics.row('c', { id }, SIBLING)
  }
  return topics
}

/** Two rows make a batch. */
const live: typeof liveRun = (world, topics, steps, options = {}) =>
  liveRun(world, topics, steps, { batch: { rows: 2 }, ...options })

const WAIT = () => {}

describe('a table that is paused', () => {
  test('gets nothing while its siblings go on, and all of it afterwards', async () => {
    const world = new PipelineWorld()
    const topics = rows(new MemoryTopics(), 0, 4)
    const box = requestBoxOf(world)
    const pause = await box.leave(PAUSE, HOUR_MS)
    const during: number[][] = []
    const look = async () => void during.push(await world.ids('public/t'), await world.ids('public/sibling'))
    const steps = [
      ...Array(4).fill(WAIT),
      look,
      () => box.clear(pause),
      WAIT,
      () => rows(topics, 4, 6),
      WAIT,
      WAIT,
    ]
    const report = await live(world, topics, steps)
    expect(during).toEqual([[], [0, 1, 2, 3]])
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
    expect(report.tally).toMatchObject({ applied: 12, parked: 0, duplicates: 0 })
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 6n, 'shop.public.sibling/0': 6n })
  })

  test('is told that it is held when nothing of it is being written', async () => {
    const world = new PipelineWorld()
    const box = requestBoxOf(world)
    const request = await box.leave(PAUSE, HOUR_MS)
    let answers: unknown
    const look = async () => {
      answers = await box.answers(request)
    }
    await live(world, rows(new MemoryTopics(), 0, 2), [WAIT, look, WAIT])
    expect(answers).toMatchObject([{ outcome: 'done' }])
  })

  test('keeps in memory what fits in a batch, and leaves the rest in the topic', async () => {
    const world = new PipelineWorld()
    const topics = rows(new MemoryTopics(), 0, 3)
    await requestBoxOf(world).leave(PAUSE, HOUR_MS)
    const fits = await live(world, topics, [WAIT], { batch: { rows: 1000 } })
    expect(stoppedTables(fits)).toEqual({ 'public.t': 'E_PAUSED' })
    expect(fits.tally.parked).toBe(2)
    expect(await world.ids('public/t')).toEqual([])
  })

  test('goes on by itself when its time is up, and says so', async () => {
    const world = new PipelineWorld()
    const topics = rows(new MemoryTopics(), 0, 6)
    await requestBoxOf(world).leave(PAUSE, 4 * LOOK_EVERY_MS)
    const report = await live(world, topics, Array(12).fill(WAIT))
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5])
    expect(world.logged).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: { event: 'table.pause-expired', table: 'public.t' },
        message: expect.stringMatching(/time limit/),
      }),
    )
  })

  test('goes on at the next start where its log stands when the process ends meanwhile', async () => {
    const world = new PipelineWorld()
    const topics = rows(new MemoryTopics(), 0, 2)
    await world.run(topics)
    const box = requestBoxOf(world)
    const pause = await box.leave(PAUSE, HOUR_MS)
    rows(topics, 2, 7)
    topics.delete(0)
    const paused = await world.run(topics, { batch: { rows: 2 } })
    expect(stoppedTables(paused)).toEqual({ 'public.t': 'E_PAUSED' })
    expect(await world.ids('public/t')).toEqual([0, 1])
    expect((await world.mark())['shop.public.t/0']).toBe(2n)
    await box.clear(pause)
    expect(stoppedTables(await world.run(topics))).toEqual({})
    expect(await world.ids('public/t')).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('a table that stopped', () => {
  /** Stops at a row whose columns differ only in case; the row behind it is fine. */
  function stopping(): MemoryTopics {
    const topics = rows(new MemoryTopics(), 0, 2)
    topics.row('c', { id: 2, x: 1, X: 1 })
    return rows(topics, 3, 6)
  }

  test('goes on at resume when the reason is gone, with every record once', async () => {
    const world = new PipelineWorld()
    const topics = rows(new MemoryTopics(), 0, 2)
    const tables = { 'public.t': { deadLetters: { maxShare: 0.5 } } }
    for (let n = 0; n < 150; n++) topics.raw('{')
    rows(topics, 2, 4)
    const first = await world.run(topics, { tables, batchRecords: 200, batch: { rows: 3 } })
    expect(stoppedTables(first)).toEqual({ 'public.t': 'E_DEAD_LETTER_STORM' })
    expect(first.tally.parked).toBe(52)
    const second = new PipelineWorld()
    const request = await requestBoxOf(second).leave(resume(), HOUR_MS)
    const report = await second.run(topics, { tables, batchRecords: 200, batch: { rows: 3 } })
    expect(await requestBoxOf(second).answers(request)).toMatchObject([{ outcome: 'done' }])
    expect(stoppedTables(report)).toEqual({})
    expect(report.tally).toMatchObject({ applied: 8, deadLetters: 150, parked: 0 })
    expect(await second.ids('public/t')).toEqual([0, 1, 2, 3])
  })

  test('takes what it missed in the running process, and then the stream', async () => {
    const world = new PipelineWorld()
    const topics = stopping()
    const box = requestBoxOf(world)
    const fix = () => {
      const records = topics.partitions.get('shop.public.t/0')!
      const at = records.findIndex(({ value }) => Buffer.from(value!).toString().includes('"X"'))
      const text = Buffer.from(records[at]!.value!).toString()
      records[at] = { ...records[at]!, value: Buffer.from(text.replace(/,"X":1/g, '')) }
    }
    let answers: unknown
    let request: Awaited<ReturnType<RequestBox['leave']>> | undefined
    const stopped: string[] = []
    const steps = [
      ...Array(6).fill(WAIT),
      async () => {
        stopped.push(
          ...world.logged.filter(({ level }) => level === 'error').map(({ fields }) => `${fields['code']}`),
        )
        fix()
        request = await box.leave(resume(), HOUR_MS)
      },
      WAIT,
      async () => {
        answers = await box.answers(request!)
      },
      () => rows(topics, 6, 8),
      ...Array(4).fill(WAIT),
    ]
    const report = await live(world, topics, steps, { batchRecords: 3 })
    expect(stopped).toEqual(['E_COLUMN_NAME'])
    expect(answers).toMatchObject([{ outcome: 'done' }])
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('public/t')).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(report.tally).toMatchObject({ parked: 0, duplicates: 0 })
    expect(report.records).toBe(15)
    expect(tableOf(report, 'public.t').inserts).toBe(8)
  })

  test('stops again with the same message when the reason is still there', async () => {
    const world = new PipelineWorld()
    const topics = stopping()
    const box = requestBoxOf(world)
    const steps = [...Array(6).fill(WAIT), () => box.leave(resume(), HOUR_MS), ...Array(4).fill(WAIT)]
    const report = await live(world, topics, steps)
    expect(stoppedTables(report)).toEqual({ 'public.t': 'E_COLUMN_NAME' })
    const errors = world.logged.filter(({ level }) => level === 'error').map(({ message }) => message)
    expect(errors).toHaveLength(2)
    expect(errors[0]).toBe(errors[1])
    expect(await world.ids('public/t')).toEqual([0, 1])
    expect(await world.ids('public/sibling')).toHaveLength(5)
  })

  test('takes the letters among what it missed, and no letter of a sibling', async () => {
    const topic = { topic: 'mixed' }
    const A = { ...topic, source: { schema: '"public"', table: '"a"' } }
    const T = { ...topic, source: { schema: '"public"', table: '"t"' } }
    const tables = { 'public.a': { topics: ['mixed'] }, 'public.t': { topics: ['mixed'] } }
    const topics = new MemoryTopics()
    topics.row('c', { id: 0 }, T)
    topics.raw('{1', topic)
    topics.row('c', { id: 1 }, T)
    topics.raw('{3', topic)
    topics.row('c', { id: 0 }, A)
    topics.raw('{5', topic)
    topics.row('c', { id: 2 }, T)
    topics.raw('{7', topic)
    const world = new PipelineWorld()
    const box = requestBoxOf(world)
    const pause = await box.leave(PAUSE, HOUR_MS)
    const letters: unknown[] = []
    const look = async () => void letters.push((await world.letters()).map(({ offset }) => offset))
    const steps = [...Array(8).fill(WAIT), look, () => box.clear(pause), WAIT, WAIT, look]
    const report = await live(world, topics, steps, {
      tables,
      batch: { rows: 1, ageMs: 1000 },
      batchRecords: 1,
    })
    expect(letters).toEqual([[5n], [1n, 3n, 5n, 7n]])
    expect(report).toMatchObject({ records: 8, tally: { applied: 4, deadLetters: 4, parked: 0 } })
    expect(await world.ids('public/t')).toEqual([0, 1, 2])
  })
})

describe('a gap', () => {
  /** Ten rows in the table; then records 10 to 14 are lost. */
  async function withGap() {
    const world = new PipelineWorld()
    await world.run(rows(new MemoryTopics(), 0, 10))
    const topics = rows(new MemoryTopics(), 0, 20)
    topics.cutBefore(15n)
    return { world, topics, box: requestBoxOf(world) }
  }
  const KEPT = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19]

  test('is not accepted by a mere resume', async () => {
    const { world, topics, box } = await withGap()
    const request = await box.leave(resume(), HOUR_MS)
    expect(stoppedTables(await world.run(topics))).toEqual({ 'public.t': 'E_OFFSET_GAP' })
    const [answer] = await box.answers(request)
    expect(answer).toMatchObject({ outcome: 'refused' })
    expect(answer!.message).toMatch(/records 10 to 14 are gone.*table resume public\.t --accept-gap/)
  })

  test('that a person accepts is not asked about again, also when nobody ran at the time', async () => {
    const { world, topics, box } = await withGap()
    const request = await box.leave(resume(true), HOUR_MS)
    expect(stoppedTables(await world.run(topics))).toEqual({})
    expect(await box.answers(request)).toMatchObject([{ outcome: 'done' }])
    expect(await world.ids('public/t')).toEqual(KEPT)
    expect(await world.mark()).toEqual({ 'shop.public.t/0': 20n, 'shop.public.sibling/0': 20n })
    expect(stoppedTables(await world.run(topics))).toEqual({})
  })

  test('that opened while the table stood still stops it again', async () => {
    const world = new PipelineWorld()
    const topics = rows(new MemoryTopics(), 0, 9)
    const box = requestBoxOf(world)
    const pause = await box.leave(PAUSE, HOUR_MS)
    const lose = async () => {
      topics.cutBefore(4n)
      await box.clear(pause)
    }
    const steps = [...Array(10).fill(WAIT), lose, ...Array(4).fill(WAIT)]
    const report = await live(world, topics, steps)
    expect(stoppedTables(report)).toEqual({ 'public.t': 'E_OFFSET_GAP' })
    expect(await world.ids('public/t')).toEqual([])
  })
})
