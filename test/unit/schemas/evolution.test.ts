import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  arrayOf,
  type Cell,
  type DeltaType,
  decimal,
  field,
  mapOf,
  struct,
} from '../../../schemas/delta-types.ts'
import { commonType, isSameType, typeText, widening } from '../../../schemas/evolution.ts'

const simple: fc.Arbitrary<DeltaType> = fc.oneof(
  fc.constantFrom<DeltaType>(
    'byte',
    'short',
    'integer',
    'long',
    'float',
    'double',
    'string',
    'date',
    'boolean',
  ),
  fc
    .tuple(fc.integer({ min: 1, max: 38 }), fc.nat(38))
    .map(([precision, scale]) => decimal(precision, Math.min(scale, precision))),
)
const type: fc.Arbitrary<DeltaType> = fc.oneof(
  simple,
  simple.map(arrayOf),
  simple.map((of) => mapOf('string', of)),
)

describe('the common type of two', () => {
  test('does not depend on which comes first, and is a type of its own with itself', () => {
    fc.assert(
      fc.property(type, type, (a, b) => {
        const common = commonType(a, b)
        expect(commonType(b, a)).toEqual(common)
        expect(commonType(a, a)).toEqual(a)
        if (common !== null) expect(commonType(a, common)).toEqual(common)
      }),
      { numRuns: 300 },
    )
  })

  test('holds every value of both, exactly', () => {
    const number = fc.oneof(fc.integer({ min: -128, max: 127 }), fc.constantFrom(0.5, -0, Number.NaN))
    fc.assert(
      fc.property(simple, simple, number, (from, other, value) => {
        const to = commonType(from, other)
        const cell = cellOf(from, value)
        if (to === null || cell === null) return
        const widen = widening(from, to)
        expect(meaningOf(to, widen === null ? cell : widen(cell))).toEqual(meaningOf(from, cell))
      }),
      { numRuns: 300 },
    )
  })

  test.each<[DeltaType, DeltaType, string | null]>([
    ['integer', 'long', 'long'],
    ['byte', 'short', 'short'],
    ['float', 'double', 'double'],
    ['long', 'double', null],
    ['integer', decimal(10, 0), null],
    ['date', 'timestamp', null],
    ['timestamp', 'timestamp_ntz', null],
    ['string', 'binary', null],
    [decimal(10, 2), decimal(8, 4), 'decimal(12,4)'],
    [decimal(38, 0), decimal(38, 1), null],
    [arrayOf('integer'), arrayOf('long'), 'array<long>'],
    [arrayOf('integer'), arrayOf('string'), null],
    [arrayOf('integer'), 'integer', null],
    [mapOf('string', 'integer'), mapOf('string', 'long'), null],
    [struct([field('x', 'double')]), struct([field('x', 'double')]), 'struct<x:double>'],
    [struct([field('x', 'double')]), struct([field('y', 'double')]), null],
  ])('%j and %j is %j', (a, b, expected) => {
    const common = commonType(a, b)
    expect(common === null ? null : typeText(common)).toBe(expected)
  })
})

test('types are the same by what they hold, at every depth', () => {
  expect(isSameType(arrayOf(decimal(4, 2)), arrayOf(decimal(4, 2)))).toBe(true)
  expect(isSameType(arrayOf(decimal(4, 2)), arrayOf(decimal(5, 2)))).toBe(false)
  expect(isSameType(mapOf('string', 'long'), mapOf('string', 'integer'))).toBe(false)
  expect(isSameType(struct([field('a', 'long')]), struct([field('a', 'long'), field('b', 'long')]))).toBe(
    false,
  )
})

/** A cell of the type for a number, if the type has one for it. */
function cellOf(of: DeltaType, value: number): Cell {
  if (of === 'float' || of === 'double') return value
  if (!Number.isInteger(value) || Object.is(value, -0)) return null
  if (of === 'long') return BigInt(value)
  if (of === 'byte' || of === 'short' || of === 'integer') return value
  if (typeof of !== 'string' && of.kind === 'decimal') return BigInt(value)
  return null
}

function meaningOf(of: DeltaType, cell: Cell): unknown {
  if (typeof of !== 'string' && of.kind === 'decimal') return (cell as bigint) * 10n ** BigInt(38 - of.scale)
  return typeof cell === 'bigint' ? Number(cell) : cell
}
