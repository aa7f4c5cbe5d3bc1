import { describe, expect, test } from 'vitest'
import type { RowImage } from '../../../schemas/change-event.ts'
import { arrayOf, type DeltaType, decimal, UNAVAILABLE } from '../../../schemas/delta-types.ts'
import { fillGaps, hasGaps, isSameRow, nullGaps } from '../../../writers/row-image.ts'
import { RowMapper } from '../../../writers/table/row-mapper.ts'
import { rowShape, TableLayout } from '../../../writers/table/table-layout.ts'
import { rowImage, shapeOf, type Values } from '../../support/change-event.ts'

function image(columns: Readonly<Record<string, DeltaType>>, values: Values): RowImage {
  return rowImage(shapeOf(columns), values)
}

/** The image's one column as a table whose column has the type would store it. */
function storedAs(type: DeltaType, of: RowImage): unknown {
  const layout = new TableLayout([{ name: 'v', type, hasDefault: false }], NO_OPTIONS, 't')
  return new RowMapper(layout).cells(of)[0]
}

const NO_OPTIONS = { withOperation: false, withDeleted: false }

describe('two row images', () => {
  test.each<[string, DeltaType, Values['v'], DeltaType, Values['v']]>([
    ['an integer and the same long', 'integer', 7, 'long', 7n],
    ['a decimal and the same with more digits', decimal(10, 2), 150n, decimal(12, 3), 1500n],
    ['a float and the same double', 'float', 1.5, 'double', 1.5],
    ['NaN and NaN', 'double', Number.NaN, 'double', Number.NaN],
    ['equal bytes', 'binary', Uint8Array.of(1, 2), 'binary', Uint8Array.of(1, 2)],
    ['arrays of widened elements', arrayOf('integer'), [1, null], arrayOf('long'), [1n, null]],
    ['arrays of widened decimals', arrayOf(decimal(4, 1)), [15n], arrayOf(decimal(5, 2)), [150n]],
    ['null and null', 'string', null, 'string', null],
  ])('are the same row with %s', (_, typeOfA, a, typeOfB, b) => {
    const [left, right] = [image({ v: typeOfA }, { v: a! }), image({ v: typeOfB }, { v: b! })]
    expect(isSameRow(left, right)).toBe(true)
    expect(isSameRow(right, left)).toBe(true)
  })

  test.each<[string, DeltaType, Values['v'], DeltaType, Values['v']]>([
    ['a number and its neighbour', 'long', 7n, 'long', 8n],
    ['equal digits, another scale', decimal(10, 2), 150n, decimal(12, 3), 150n],
    ['0 and -0', 'double', 0, 'double', -0],
    ['null and an empty text', 'string', null, 'string', ''],
    ['a value and one not sent', 'string', 'x', 'string', UNAVAILABLE],
    ['two values not sent', 'string', UNAVAILABLE, 'string', UNAVAILABLE],
    ['arrays of another length', arrayOf('integer'), [1], arrayOf('integer'), [1, 1]],
    ['types that do not widen', 'string', '7', 'integer', 7],
  ])('differ with %s', (_, typeOfA, a, typeOfB, b) => {
    const [left, right] = [image({ v: typeOfA }, { v: a! }), image({ v: typeOfB }, { v: b! })]
    expect(isSameRow(left, right)).toBe(false)
    expect(isSameRow(right, left)).toBe(false)
  })

  test('are compared by column name, and a column that one lacks counts as null', () => {
    const left = image({ a: 'long', b: 'string' }, { a: 1n, b: 'x' })
    expect(isSameRow(left, image({ b: 'string', a: 'long' }, { a: 1n, b: 'x' }))).toBe(true)
    expect(isSameRow(left, image({ a: 'long', b: 'string', c: 'long' }, { a: 1n, b: 'x' }))).toBe(true)
    expect(isSameRow(left, image({ a: 'long', b: 'string', c: 'long' }, { a: 1n, b: 'x', c: 0n }))).toBe(
      false,
    )
    expect(isSameRow(left, image({ a: 'long' }, { a: 1n }))).toBe(false)
  })
})

describe('gaps', () => {
  test('are filled from the older row by column name, and only gaps are', () => {
    const newer = image({ id: 'long', big: 'string', v: 'string' }, { id: 1n, big: UNAVAILABLE, v: null })
    const older = image({ v: 'string', big: 'string' }, { v: 'old', big: 'kept' })
    expect(fillGaps(newer, older).cells).toEqual([1n, 'kept', null])
    expect(hasGaps(newer)).toBe(true)
  })

  test('stay where the older row does not know the column, and become null and counted at the end', () => {
    const newer = image({ a: 'string', b: 'string' }, { a: UNAVAILABLE, b: UNAVAILABLE })
    const filled = fillGaps(newer, image({ a: 'string' }, { a: 'x' }))
    expect(filled.cells).toEqual(['x', UNAVAILABLE])
    expect(nullGaps(filled)).toMatchObject({ image: { cells: ['x', null] }, gaps: 1 })
  })

  test('cost nothing where there are none', () => {
    const whole = image({ a: 'string' }, { a: 'x' })
    expect(fillGaps(whole, image({ a: 'string' }, { a: 'y' }))).toBe(whole)
    expect(nullGaps(whole).image).toBe(whole)
  })

  test('filled from a row of a wider type are stored as that type has them', () => {
    const prices = arrayOf(decimal(6, 3))
    const narrow = image({ v: arrayOf(decimal(4, 1)) }, { v: UNAVAILABLE })
    const filled = fillGaps(narrow, image({ v: prices }, { v: [1500n] }))
    expect(storedAs(prices, filled)).toEqual([1500n])
  })

  test('filled from a row of a narrower type are stored as the wider type has them', () => {
    const wide = image({ v: arrayOf('long') }, { v: UNAVAILABLE })
    const filled = fillGaps(wide, image({ v: arrayOf('integer') }, { v: [7] }))
    expect(storedAs(arrayOf('long'), filled)).toEqual([7n])
  })

  test('leave the shape of other images alone', () => {
    const shape = rowShape([{ name: 'v', type: arrayOf('long'), hasDefault: false }])
    fillGaps({ shape, cells: [UNAVAILABLE] }, image({ v: arrayOf('integer') }, { v: [7] }))
    expect(shape.columns[0]!.type).toEqual(arrayOf('long'))
  })
})
