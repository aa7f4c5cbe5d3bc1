import { describe, expect, test } from 'vitest'
import { decodeRowSet, encodeRowSet } from '../../../../writers/delta/roaring-format.ts'
import { RowSet } from '../../../../writers/delta/row-set.ts'

function range(from: number, to: number, step = 1): number[] {
  const rows: number[] = []
  for (let row = from; row < to; row += step) rows.push(row)
  return rows
}

/** A `RoaringBitmapArray` with one bucket around a hand-made 32-bit bitmap. */
function wrapped(bitmap: readonly number[]): Uint8Array {
  return Uint8Array.from([0xd1, 0xd3, 0x39, 0x64, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...bitmap])
}

describe('a set of rows', () => {
  test('knows its rows in any order of arrival, each once', () => {
    const set = new RowSet()
    expect([9, 3, 7, 3, 70_000, 9].map((row) => set.add(row))).toEqual([true, true, true, false, true, false])
    expect([...set]).toEqual([3, 7, 9, 70_000])
    expect(set.size).toBe(4)
    expect(set.has(7)).toBe(true)
    expect(set.has(8)).toBe(false)
    expect(set.has(4_000_000_000)).toBe(false)
  })

  test('holds rows up to 2^32 and refuses others', () => {
    const set = RowSet.of([0, 2 ** 31, 2 ** 32 - 1])
    expect([...decodeRowSet(encodeRowSet(set))]).toEqual([0, 2 ** 31, 2 ** 32 - 1])
    expect(() => set.add(2 ** 32)).toThrow('not a row position')
    expect(() => set.add(-1)).toThrow('not a row position')
    expect(() => set.add(1.5)).toThrow('not a row position')
  })

  test('changes its form at 4096 rows of a container and keeps every row', () => {
    const array = RowSet.of(range(0, 4096))
    const bitset = RowSet.of(range(0, 4097))
    expect(encodeRowSet(array)).toHaveLength(16 + 16 + 4096 * 2)
    expect(encodeRowSet(bitset)).toHaveLength(16 + 16 + 8192)
    expect([...decodeRowSet(encodeRowSet(bitset))]).toEqual(range(0, 4097))
    expect(bitset.add(5)).toBe(false)
    expect(bitset.size).toBe(4097)
  })

  test.each([
    ['two arrays', range(0, 100, 2), range(1, 100, 3)],
    ['an array and a bitset', range(0, 20), range(0, 65_536, 3)],
    ['two bitsets', range(0, 65_536, 3), range(0, 65_536, 5)],
    ['two arrays that grow into a bitset', range(0, 8000, 2), range(1, 8000, 2)],
    ['other containers', [1], [70_000, 200_000]],
  ])('unites %s', (_, a, b) => {
    const left = RowSet.of(a)
    const union = left.union(RowSet.of(b))
    const expected = [...new Set([...a, ...b])].sort((x, y) => x - y)
    expect([...union]).toEqual(expected)
    expect(union.size).toBe(expected.length)
    expect(left.size).toBe(a.length)
  })

  test('a union does not share rows with what it was made of', () => {
    const left = RowSet.of([1])
    const union = left.union(RowSet.of([70_000]))
    union.add(2)
    union.add(70_001)
    expect([...left]).toEqual([1])
  })
})

describe('the portable form', () => {
  test('run containers without offsets are read', () => {
    // Cookie 12347 with one container, its run flag, key 0, 5 rows; two runs: 10..12 and 20..21.
    const bitmap = [0x3b, 0x30, 0, 0, 1, 0, 0, 4, 0, 2, 0, 10, 0, 2, 0, 20, 0, 1, 0]
    expect([...decodeRowSet(wrapped(bitmap))]).toEqual([10, 11, 12, 20, 21])
  })

  test('run and array containers of one bitmap with offsets are read', () => {
    // Four containers: runs, array, array, runs; from four containers on there are offsets.
    const bitmap = [0x3b, 0x30, 3, 0, 0b1001]
    bitmap.push(0, 0, 1, 0, 1, 0, 0, 0, 2, 0, 1, 0, 3, 0, 0, 0)
    bitmap.push(...new Array(16).fill(0))
    bitmap.push(1, 0, 5, 0, 1, 0)
    bitmap.push(9, 0)
    bitmap.push(1, 0, 2, 0)
    bitmap.push(1, 0, 7, 0, 0, 0)
    expect([...decodeRowSet(wrapped(bitmap))]).toEqual([5, 6, 65_545, 131_073, 131_074, 196_615])
  })

  test('a full container of one run becomes a bitset', () => {
    const bitmap = [0x3b, 0x30, 0, 0, 1, 0, 0, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff]
    const rows = decodeRowSet(wrapped(bitmap))
    expect(rows.size).toBe(65_536)
    expect(rows.has(65_535)).toBe(true)
  })

  test.each([
    ['a wrong magic number', wrapped([]).with(0, 0), 'magic'],
    ['a cut bitmap', encodeRowSet(RowSet.of([1, 2, 3])).slice(0, -1), 'ends too early'],
    ['a cut bitset', encodeRowSet(RowSet.of(range(0, 5000))).slice(0, -1), 'ends too early'],
    ['an unknown cookie', wrapped([1, 2, 3, 4]), 'cookie'],
    ['rows out of order', encodeRowSet(RowSet.of([1, 2])).with(32, 9), 'not in order'],
    [
      'a cardinality that is not that of the bits',
      encodeRowSet(RowSet.of(range(0, 5000))).with(40, 0),
      'other rows',
    ],
    ['rows beyond 2^32', wrapped([]).with(12, 1), 'beyond 2^32'],
  ])('%s stops the table', (_, bytes, why) => {
    expect(() => decodeRowSet(bytes)).toThrow(why)
  })

  test('a bitmap without buckets holds no rows', () => {
    expect(decodeRowSet(wrapped([]).slice(0, 12).with(4, 0)).size).toBe(0)
  })
})
