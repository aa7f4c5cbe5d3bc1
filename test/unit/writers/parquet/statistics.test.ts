import { describe, expect, test } from 'vitest'
import {
  arrayOf,
  type Cell,
  type DeltaType,
  decimal,
  field,
  mapOf,
  struct,
} from '../../../../schemas/delta-types.ts'
import { encodeRows } from '../../../support/parquet-file.ts'

function statisticsOf(type: DeltaType, cells: readonly Cell[], rowGroupRows = 2) {
  const rows = cells.map((cell) => [cell])
  return encodeRows(struct([field('c', type)]), rows, { rowGroupRows, pageRows: 1 }).statistics[0]!
}

describe('statistics of a written file', () => {
  test('order text by code points, so that an astral character stands above U+FFFD', () => {
    const { min, max } = statisticsOf('string', ['\ufffd', '\u{1d4b3}', 'z', ''])
    expect(min).toBe('')
    expect(max).toBe('\u{1d4b3}')
  })

  test('give long texts whole', () => {
    const long = 'ä'.repeat(500)
    expect(statisticsOf('string', [long, 'a'])).toMatchObject({ min: 'a', max: long })
  })

  test('have no bounds for a column with a NaN anywhere, and say so', () => {
    const { min, max, hasNaN } = statisticsOf('double', [1, 2, 3, Number.NaN, 5])
    expect([min, max, hasNaN]).toEqual([undefined, undefined, true])
  })

  test('have no bounds for a column of nothing but NaN', () => {
    expect(statisticsOf('float', [Number.NaN, null])).toMatchObject({
      min: undefined,
      max: undefined,
      nullCount: 1,
    })
  })

  test('write a zero as -0 below and 0 above, whichever was stored', () => {
    for (const zero of [0, -0]) {
      const { min, max } = statisticsOf('double', [zero])
      expect([Object.is(min, -0), Object.is(max, 0)]).toEqual([true, true])
    }
    const { min, max } = statisticsOf('float', [3, 0, -2, -0])
    expect([min, max]).toEqual([-2, 3])
  })

  test('keep infinities as bounds', () => {
    const { min, max } = statisticsOf('double', [Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY])
    expect([min, max]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])
    expect(statisticsOf('double', [Number.POSITIVE_INFINITY]).min).toBe(Number.POSITIVE_INFINITY)
  })

  test('order 64-bit integers and decimals of every width by sign and size', () => {
    const extremes = [2n ** 63n - 1n, 0n, -(2n ** 63n), 2n ** 32n, -1n]
    expect(statisticsOf('long', extremes)).toMatchObject({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    for (const precision of [9, 18, 19, 38]) {
      const max = 10n ** BigInt(precision) - 1n
      expect(statisticsOf(decimal(precision, 2), [max, -1n, 1n, -max, 0n])).toMatchObject({ min: -max, max })
    }
  })

  test('count nulls of every type, and give bounds to none but the types that have an order in the log', () => {
    const bounds = (type: DeltaType, cell: Cell) => {
      const { min, max, nullCount } = statisticsOf(type, [null, cell, null])
      return [min, max, nullCount]
    }
    expect(bounds('boolean', true)).toEqual([undefined, undefined, 2])
    expect(bounds('binary', Uint8Array.of(1))).toEqual([undefined, undefined, 2])
    expect(bounds('date', -719162)).toEqual([-719162, -719162, 2])
    expect(bounds('timestamp', -1n)).toEqual([-1n, -1n, 2])
    expect(bounds('timestamp_ntz', 1n)).toEqual([1n, 1n, 2])
    expect(bounds('byte', -128)).toEqual([-128, -128, 2])
  })

  test('have no bounds for a column of nothing but nulls', () => {
    expect(statisticsOf('string', [null, null, null])).toMatchObject({
      min: undefined,
      max: undefined,
      nullCount: 3,
    })
  })

  test('reach into structs, count a null struct as null in each field, and stop at arrays and maps', () => {
    const schema = struct([
      field(
        's',
        struct([field('x', 'integer'), field('a', arrayOf('string')), field('m', mapOf('string', 'long'))]),
      ),
      field('top', arrayOf(struct([field('inner', 'integer')]))),
    ])
    const rows: Cell[][] = [
      [null, null],
      [[null, null, null], []],
      [
        [7, [], [['k', null]]],
        [[1], null],
      ],
      [[-7, ['x', null], []], [null]],
    ]
    const { statistics } = encodeRows(schema, rows, { rowGroupRows: 3 })
    expect(statistics.map(({ path, nullCount, min, max }) => [path.join('.'), nullCount, min, max])).toEqual([
      ['s.x', 2, -7, 7],
      ['s.a', 2, undefined, undefined],
      ['s.m', 2, undefined, undefined],
      ['top', 1, undefined, undefined],
    ])
  })
})
