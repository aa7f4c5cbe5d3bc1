import { describe, expect, test } from 'vitest'
import { agesMs } from '../../../bench/live/ages.ts'

describe('how old changes are when they can be read', () => {
  test('each change counts once, from the first version that holds it', () => {
    const timesMs = Float64Array.of(100, 110, 120, 130)
    const sightings = [
      { atMs: 200, version: 0, nextOffsets: [null] },
      { atMs: 300, version: 1, nextOffsets: [3] },
      { atMs: 400, version: 2, nextOffsets: [3] },
      { atMs: 500, version: 3, nextOffsets: [9] },
    ]
    expect(agesMs(sightings, 0, timesMs, 1)).toEqual([190, 180, 370])
  })
})
