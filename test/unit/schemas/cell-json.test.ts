import { describe, expect, test } from 'vitest'
import { cellJson, cellText, rowJson } from '../../../schemas/cell-json.ts'
import {
  arrayOf,
  type Cell,
  type DeltaType,
  decimal,
  field,
  mapOf,
  struct,
} from '../../../schemas/delta-types.ts'

describe('cellJson loses nothing', () => {
  test.each<[string, DeltaType, Cell, unknown]>([
    ['a null', 'long', null, null],
    ['a boolean', 'boolean', false, false],
    ['a small integer', 'integer', -7, -7],
    ['a long that a number holds', 'long', 9007199254740991n, 9007199254740991],
    ['a long beyond that, as digits', 'long', 9007199254740993n, '9007199254740993'],
    ['the least long', 'long', -9223372036854775808n, '-9223372036854775808'],
    [
      'a decimal with all its digits',
      decimal(38, 9),
      12345678901234567890123456789n,
      '12345678901234567890.123456789',
    ],
    ['a decimal below one', decimal(10, 2), -5n, '-0.05'],
    ['a decimal without a fraction', decimal(5, 0), 120n, '120'],
    ['a date', 'date', 19782, '2024-02-29'],
    ['a date before 1970', 'date', -1, '1969-12-31'],
    ['a timestamp, with its zone', 'timestamp', -1n, '1969-12-31T23:59:59.999999Z'],
    ['a timestamp without a zone', 'timestamp_ntz', 1_700_000_000_000_001n, '2023-11-14T22:13:20.000001'],
    ['bytes, in base64', 'binary', new Uint8Array([0, 255, 16]), 'AP8Q'],
    ['an empty text', 'string', '', ''],
    ['a double', 'double', 0.1, 0.1],
    ['no number', 'double', Number.NaN, 'NaN'],
    ['an infinity', 'float', Number.NEGATIVE_INFINITY, '-Infinity'],
    ['a float, without the digits of a double', 'float', Math.fround(0.1), 0.1],
    ['a float that needs nine digits', 'float', Math.fround(16777.217), 16777.217],
    ['an array with a null', arrayOf('long'), [1n, null], [1, null]],
    ['a struct', struct([field('a', 'date'), field('b', 'string')]), [0, null], { a: '1970-01-01', b: null }],
    [
      'a map',
      mapOf('string', 'integer'),
      [
        ['x', 1],
        ['__proto__', null],
      ],
      { x: 1, ['__proto__']: null },
    ],
    ['a map by longs', mapOf('long', 'string'), [[9007199254740993n, 'x']], { '9007199254740993': 'x' }],
    [
      'a map whose keys are no texts, as pairs',
      mapOf(struct([field('a', 'integer')]), 'string'),
      [[[1], 'x']],
      [[{ a: 1 }, 'x']],
    ],
  ])('%s', (_, type, cell, expected) => {
    const json = cellJson(type, cell)
    expect(json).toEqual(expected)
    expect(JSON.parse(JSON.stringify(json))).toEqual(expected)
  })

  test.each([0.1, 1 / 3, 3.4028234663852886e38, 1.401298464324817e-45, 16777216, -2.5e-8])(
    'the float %d is the same 32 bits when it is read back',
    (value) => {
      const float = Math.fround(value)
      expect(Math.fround(cellJson('float', float) as number)).toBe(float)
    },
  )

  test('a row is an object in the order of its fields', () => {
    const fields = [field('b', 'long'), field('a', 'string')]
    expect(JSON.stringify(rowJson(fields, [1n, 'x']))).toBe('{"b":1,"a":"x"}')
  })
})

test('cellText is for the eyes: no quotes around texts, NULL for null', () => {
  expect(cellText('string', null)).toBe('NULL')
  expect(cellText('string', 'a "b"')).toBe('a "b"')
  expect(cellText('long', 5n)).toBe('5')
  expect(cellText(arrayOf('string'), ['a', null])).toBe('["a",null]')
})
