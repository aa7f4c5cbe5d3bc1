import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BucketSums } from '../../../dq/bucket-sums.ts'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const rows = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 50 })

function summed(pairs: readonly (readonly [string, string])[]): BucketSums {
  const sums = new BucketSums(3)
  for (const [key, row] of pairs) sums.add(md5(key), md5(row))
  return sums
}

describe('sums of rows by bucket', () => {
  test('do not hang on the order of rows, and take away what they took in', () => {
    fc.assert(
      fc.property(rows, rows, (kept, passing) => {
        const sums = summed([...passing, ...kept.toReversed()])
        for (const [key, row] of passing) sums.remove(md5(key), md5(row))
        expect(sums.unequalTo(summed(kept))).toEqual([])
        expect(sums.rowCount).toBe(kept.length)
      }),
    )
  })

  test('tell two equal rows from none, which XOR does not', () => {
    const twice = summed([
      ['a', 'x'],
      ['a', 'x'],
    ])
    expect(twice.unequalTo(summed([]))).toEqual([{ prefix: md5('a').slice(0, 3), rows: 2 }])
  })

  test('name the bucket of a row that changed', () => {
    const before = summed([['a', 'x'], ['b', 'y']]) // biome-ignore format: a row a line says nothing
    const after = summed([
      ['a', 'x'],
      ['b', 'z'],
    ])
    expect(before.unequalTo(after)).toEqual([{ prefix: md5('b').slice(0, 3), rows: 1 }])
  })

  test('are those that somebody else has made of signed halves', () => {
    const sums = new BucketSums(3)
    const hash = md5('x')
    const half = (from: number) => BigInt.asIntN(64, BigInt(`0x${hash.slice(from, from + 16)}`))
    sums.addSums(md5('a').slice(0, 3), 1, half(0), half(16))
    expect(sums.unequalTo(summed([['a', 'x']]))).toEqual([])
  })
})
