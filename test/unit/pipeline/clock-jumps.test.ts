import { expect, test } from 'vitest'
import { loadCommits } from '../../../writers/delta/load-snapshot.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'
import { PipelineWorld } from '../../support/pipeline-world.ts'

const HOUR_MS = 3_600_000
const STEP_MS = 1000

/** How the clock on the wall goes: as an hour is put on and taken off, and as a daylight saving that nobody asked for. */
const JUMPS: readonly (readonly [string, (step: number) => number])[] = [
  ['forward and back', (step) => (step % 2 === 0 ? HOUR_MS : -HOUR_MS)],
  ['back', (step) => (step === 3 ? -HOUR_MS : 0)],
  ['forward', (step) => (step === 3 ? HOUR_MS : 0)],
  ['back further and further', () => -HOUR_MS],
]

async function run(jump: (step: number) => number) {
  const world = new PipelineWorld()
  const topics = new MemoryTopics()
  for (let id = 0; id < 100; id++) topics.row('c', { id })
  const versionsAt: Record<string, number>[] = []
  const stop = new AbortController()
  const beforeBatch = (step: number) => {
    world.clock.advance(STEP_MS)
    world.clock.wallMs += jump(step)
    versionsAt.push(world.versions())
    if (step === 110) stop.abort()
  }
  const batch = { ageMs: 5 * STEP_MS }
  const report = await world.run(topics, { batch, batchRecords: 1, beforeBatch, signal: stop.signal })
  const entries = async (path: string) =>
    (await loadCommits(world.store, path, 0)).map(({ actions }) => actions)
  return { world, report, versionsAt, entries }
}

test.each(JUMPS)(
  'a clock that jumps an hour %s makes no more commits, and none later or earlier',
  async (_, jump) => {
    const calm = await run(() => 0)
    const jumpy = await run(jump)
    expect(calm.versionsAt.at(-1)).toEqual({ 'public/t': expect.any(Number), '_alluvium/default': 3 })
    expect(calm.versionsAt.at(-1)!['public/t']).toBeGreaterThan(15)
    expect(jumpy.versionsAt).toEqual(calm.versionsAt)
    expect(await jumpy.world.ids('public/t')).toEqual(await calm.world.ids('public/t'))
    expect(jumpy.report.tally).toEqual(calm.report.tally)
  },
)

test.each(JUMPS)(
  'when the clock jumps an hour %s each version is later than the one before',
  async (_, jump) => {
    const { entries } = await run(jump)
    for (const path of ['public/t', '_alluvium/default']) {
      const times = (await entries(path)).map(([info]) =>
        info?.kind === 'commitInfo' ? Number(info.timestamp) : Number.NaN,
      )
      expect(times.length).toBeGreaterThan(2)
      for (const [i, time] of times.slice(1).entries()) expect(time).toBeGreaterThan(times[i]!)
    }
  },
)
