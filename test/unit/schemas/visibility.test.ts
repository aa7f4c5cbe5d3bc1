import { describe, expect, test } from 'vitest'
import { visibilityOf } from '../../../schemas/visibility.ts'

describe('a moment of the source', () => {
  test('tells transactions that were open from those of the past and of the future, whose ids may be older than four billion', () => {
    const next = 3n * 2n ** 32n + 10n
    const { wasOpen } = visibilityOf(`${next - 4n}:${next}:${next - 4n},${next - 2n}`)
    const low = (distance: bigint) => BigInt.asUintN(32, next + distance)
    expect([-4n, -3n, -2n, -1n, 0n, 2n ** 31n - 1n].map((each) => wasOpen(low(each)))).toEqual([
      ...[true, false, true, false, false, false],
    ])
  })

  test('sees what had committed, and neither what ran nor what came later', () => {
    const { sees } = visibilityOf('100:110:103,107')
    expect([99n, 100n, 102n, 109n].map(sees)).toEqual([true, true, true, true])
    expect([103n, 107n, 110n, 5000n].map(sees)).toEqual([false, false, false, false])
  })

  test('with nothing running sees all that is below its end', () => {
    expect([1n, 41n, 42n].map(visibilityOf('42:42:').sees)).toEqual([true, true, false])
  })

  test('takes the lower half of a transaction id for the nearest whole one, on both sides of a turn', () => {
    const turn = 3n << 32n
    const { sees } = visibilityOf(`${turn - 2n}:${turn + 5n}:${turn - 2n},${turn + 1n}`)
    expect(sees(0xffff_fffdn)).toBe(true) // turn - 3
    expect(sees(0xffff_fffen)).toBe(false) // turn - 2, running
    expect(sees(0xffff_ffffn)).toBe(true) // turn - 1
    expect(sees(1n)).toBe(false) // turn + 1, running
    expect(sees(2n)).toBe(true)
    expect(sees(5n)).toBe(false) // came later
  })
})
