import { describe, expect, test } from 'vitest'
import { percentile, spreadOf } from '../../../bench/statistics.ts'

describe('statistics', () => {
  test('a percentile lies between the two nearest values', () => {
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2.5)
    expect(percentile([10, 20], 0.95)).toBeCloseTo(19.5)
    expect(percentile([7], 0.99)).toBe(7)
  })

  test('a spread does not mind the order of its values', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ count: 3, median: 2, p25: 1.5, p75: 2.5, p95: 2.9, min: 1, max: 3 })
  })
})
