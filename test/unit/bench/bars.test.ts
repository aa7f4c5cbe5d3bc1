import { describe, expect, test } from 'vitest'
import { verdict, workBars } from '../../../bench/bars.ts'
import { chooseCases } from '../../../bench/cases.ts'
import type { CaseResult, ContestantResult } from '../../../bench/results.ts'
import { spreadOf } from '../../../bench/statistics.ts'

function contestant(name: ContestantResult['name'], seconds: number, peakMemoryMb = 100): ContestantResult {
  const window = (from: number, to: number, bytes: number) => ({
    ...{ from, to, seconds: spreadOf([seconds]), cpuSeconds: spreadOf([seconds]), files: 4 },
    bytesPerEvent: { data: bytes, vectors: 0, feed: 0, log: 0 },
  })
  const windows = [window(1, 20, 100), window(21, 420, 1200), window(400, 420, 900)]
  return {
    ...{ name, windows, firstSeconds: 1, eventsPerSecond: 1, eventsPerCpuSecond: 1 },
    ...{ peakMemoryMb, verified: true },
  }
}

function result(name: string, contestants: readonly ContestantResult[]): CaseResult {
  return { case: chooseCases(name)[0]!, contestants, scans: [], othersCores: 0 }
}

const barsOf = (...cases: readonly CaseResult[]) =>
  new Map(workBars({ cases }).map((bar) => [bar.work, `${bar.measured} ${verdict(bar)}`]))

describe('bars', () => {
  test('hold the median of ours against that of delta-rs', () => {
    const at = (seconds: number) =>
      barsOf(result('u-10m', [contestant('alluvium', seconds), contestant('delta-rs', 4)])).get(
        'U, 10 million rows, whole rows before, full feed',
      )
    expect(at(0.1)).toBe('40.0 × (40.0 × by CPU) met')
    expect(at(0.2)).toBe('20.0 × (20.0 × by CPU) not met')
  })

  test('are not met by a lucky window', () => {
    const bars = barsOf(result('u-10m', [contestant('alluvium', 0.1)]))
    const bytes = bars.get('bytes written a change, U, 10 million rows, batches 400–420, merging included')
    expect(bytes).toMatch(/^900 .*; 1200 over batches 21–420 not met$/)
  })

  test('are neither met nor missed when nothing was measured', () => {
    expect([...new Set(barsOf().values())]).toEqual(['null not measured'])
  })

  test('compare the largest table with the smallest', () => {
    const bars = barsOf(
      result('u-1m', [contestant('alluvium', 0.1)]),
      result('u-50m', [contestant('alluvium', 0.13)]),
    )
    const work = 'time a batch at 50 million rows against 1 million, batches 400–420'
    expect(bars.get(work)).toBe('1.30 × not met')
  })
})
