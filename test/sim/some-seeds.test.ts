import { describe, expect, test } from 'vitest'
import { runSeed } from './run-seed.ts'

/** A few of the worlds of `make sim`, so that nobody breaks them unawares. */
describe('the simulation', { timeout: 60_000 }, () => {
  test('finds nothing wrong in a world without faults', async () => {
    const { failure, commits } = await runSeed(4, { isPeaceful: true })
    expect(failure).toBe('')
    expect(commits).toBeGreaterThan(3)
  })

  test.for([1, 7, 13])('finds nothing wrong in six worlds from %i on', async (from) => {
    for (let seed = from; seed < from + 6; seed++) {
      const { failure } = await runSeed(seed)
      expect(failure, `make sim SEED=${seed}`).toBe('')
    }
  })

  // A row that left a key, twins, a truncate before its table; what a truncate keeps, deleted rows that a saved locator
  // names; a mark that was read before a long sleep; a log that was read before retention went on.
  test.for([2051, 2600, 2621, 201_585, 102_963, 109_316, 109_612, 108_619, 113_831, 114_135])(
    'finds nothing wrong any more in world %i',
    async (seed) => {
      expect((await runSeed(seed)).failure, `make sim SEED=${seed}`).toBe('')
    },
  )

  test('a former owner that wakes up and commits again and again, before it is told, stops no table', async () => {
    const { failure, trace } = await runSeed(2000)
    expect(failure, 'make sim SEED=2000').toBe('')
    expect(trace.filter((line) => /moved this pipeline's position/.test(line)).length).toBeGreaterThan(1)
  })

  test('rows of the source bring back what a stranger took away', async () => {
    const { failure, trace } = await runSeed(2022)
    expect(failure, 'make sim SEED=2022').toBe('')
    expect(trace.filter((line) => / repair .*"inserted":1/.test(line))).toHaveLength(1)
  })

  test('runs a seed twice in the same way', async () => {
    const [first, again] = [await runSeed(8), await runSeed(8)]
    expect(again.trace).toEqual(first.trace)
    expect(again.traceHash).toBe(first.traceHash)
  })
})
