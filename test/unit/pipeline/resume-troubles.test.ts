import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../core/errors.ts'
import type { Ask } from '../../../src/pipeline/request.ts'
import type { RequestBox } from '../../../src/pipeline/request-box.ts'
import { GatedStore } from '../../support/gated-store.ts'
import { liveRun, requestBoxOf } from '../../support/live-run.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld, stoppedTables } from '../../support/pipeline-world.ts'

const HOUR_MS = 3_600_000
const PAUSE: Ask = { kind: 'pause', table: 'public.t' }
const WAIT = () => {}

function rows(topics: MemoryTopics, first: number, last: number): MemoryTopics {
  for (let id = first; id < last; id++) topics.row('c', { id })
  return topics
}

function upTo(count: number): readonly number[] {
  return [...Array(count).keys()]
}

describe('a table whose pause ends', () => {
  test('on a bad day of the store goes on later, with all that it missed', async () => {
    const world = new PipelineWorld()
    const topics = rows(new MemoryTopics(), 0, 6)
    const box = requestBoxOf(world)
    const pause = await box.leave(PAUSE, HOUR_MS)
    let failures = 0
    const end = async () => {
      await box.clear(pause)
      world.store.before = (_, site, path) => {
        if (site !== 'log.list' || !path.startsWith('public/t/') || ++failures > 1) return
        throw new EngineError('E_STORE', 'retry', 'try again')
      }
    }
    const steps = [WAIT, WAIT, WAIT, WAIT, end, WAIT, () => rows(topics, 6, 8), WAIT, WAIT, WAIT]
    const report = await liveRun(world, topics, steps, { batch: { rows: 2 } })
    expect(failures).toBeGreaterThan(0)
    expect(stoppedTables(report)).toEqual({})
    expect(await world.ids('public/t')).toEqual(upTo(8))
    expect(report.tally).toMatchObject({ applied: 8, parked: 0, duplicates: 0 })
  })

  test('and that is fenced while it catches up begins again where its log stands', async () => {
    const world = new PipelineWorld()
    const topics = rows(new MemoryTopics(), 0, 40)
    topics.skip(30_000)
    rows(topics, 40, 42)
    const box = requestBoxOf(world)
    const pause = await box.leave(PAUSE, HOUR_MS)
    const others = () => world.run(rows(new MemoryTopics(), 0, 10))
    const steps = [...Array(45).fill(WAIT), () => box.clear(pause), WAIT, others, ...Array(60).fill(WAIT)]
    const report = await liveRun(world, topics, steps, { batch: { rows: 4 }, batchRecords: 1 })
    expect(world.logged.map(({ fields }) => fields['code'])).toContain('E_FENCED')
    expect(stoppedTables(report)).toEqual({})
    expect((await world.ids('public/t')).slice(0, 40)).toEqual(upTo(40))
    expect(report.tally.parked).toBe(0)
  })
})

test('a table that is fenced again and again counts no record as left in the topic that it has had', async () => {
  const world = new PipelineWorld()
  const upToRow = (count: number) => {
    const topics = rows(new MemoryTopics(), 0, 2)
    topics.raw('{')
    return rows(topics, 2, count)
  }
  const topics = upToRow(8)
  const former = (count: number) => async () => void (await world.run(upToRow(count)))
  const report = await liveRun(
    world,
    topics,
    [
      ...[WAIT, WAIT, WAIT, former(3), ...Array(20).fill(WAIT)],
      ...[() => rows(topics, 8, 20), WAIT, WAIT, former(13), ...Array(20).fill(WAIT)],
      ...[() => rows(topics, 20, 30), WAIT, WAIT, former(26), ...Array(20).fill(WAIT)],
    ],
    { batch: { rows: 4 }, batchRecords: 1 },
  )
  const fenced = world.logged.filter(({ fields }) => fields['code'] === 'E_FENCED')
  expect(fenced.length).toBeGreaterThan(1)
  expect(stoppedTables(report)).toEqual({})
  expect(await world.ids('public/t')).toEqual(upTo(30))
  expect(report.tally).toMatchObject({ parked: 0, deadLetters: 1 })
  expect(report.deadLetterReasons).toEqual(new Map([['BAD_JSON', 1]]))
})

test('a table is told to be paused only when no merge of it is being committed', async () => {
  const world = new PipelineWorld()
  const store = new GatedStore(world.store)
  store.close('public/t/_delta_log/00000000000000000008.json')
  const box = requestBoxOf(world)
  let request: Awaited<ReturnType<RequestBox['leave']>> | undefined
  const answers: unknown[] = []
  const turns = async () => {
    for (let i = 0; i < 50; i++) await turn()
  }
  const ask = async () => {
    await turns()
    expect(store.inFlight).toHaveLength(1)
    request = await box.leave(PAUSE, HOUR_MS)
    void turns().then(async () => {
      answers.push(await box.answers(request!))
      store.close()
    })
  }
  const look = async () => void answers.push(await box.answers(request!))
  const topics = rows(new MemoryTopics(), 0, 8)
  await liveRun(world, topics, [...Array(8).fill(WAIT), ask, turns, look], {
    ...{ store, batch: { rows: 1 }, batchRecords: 1 },
  })
  expect(answers).toMatchObject([[], [{ outcome: 'done' }]])
})
