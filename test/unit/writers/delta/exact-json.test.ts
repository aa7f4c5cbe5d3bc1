import { describe, expect, test } from 'vitest'
import { parseExactJson, stringifyExactJson } from '../../../../writers/delta/exact-json.ts'

describe('JSON with exact integers', () => {
  test('integers beyond 2^53 become bigint, others stay numbers', () => {
    expect(
      parseExactJson('{"a":9007199254740993,"b":9007199254740991,"c":-9223372036854775808,"d":1.5}'),
    ).toEqual({
      a: 9007199254740993n,
      b: 9007199254740991,
      c: -9223372036854775808n,
      d: 1.5,
    })
  })

  test('strings and keys that look like large integers, or like our marks, stay what they are', () => {
    const text =
      '{"12345678901234567890":"12345678901234567890","i":"i9007199254740993","s":"","x":[9007199254740993]}'
    expect(parseExactJson(text)).toEqual({
      '12345678901234567890': '12345678901234567890',
      i: 'i9007199254740993',
      s: '',
      x: [9007199254740993n],
    })
  })

  test('escaped quotes do not end a string', () => {
    expect(parseExactJson('{"a":"x\\\\\\":9007199254740993,\\"","b":9007199254740993}')).toEqual({
      a: 'x\\":9007199254740993,"',
      b: 9007199254740993n,
    })
  })

  test('a large float stays a float', () => {
    expect(parseExactJson('[1e300,1234567890123456.5,9007199254740993]')).toEqual([
      1e300,
      1234567890123456.5,
      9007199254740993n,
    ])
  })

  test('what is written is read back, large integers and absent members too', () => {
    const value = { a: 2n ** 63n - 1n, b: [1, null, 'é"\n'], c: undefined, d: { e: true } }
    expect(stringifyExactJson(value)).toBe('{"a":9223372036854775807,"b":[1,null,"é\\"\\n"],"d":{"e":true}}')
    expect(parseExactJson(stringifyExactJson(value))).toEqual(value)
  })

  test('a key named __proto__ is a key', () => {
    const value = parseExactJson('{"__proto__":1,"n":9007199254740993}') as Record<string, unknown>
    expect(Object.keys(value)).toEqual(['__proto__', 'n'])
  })
})
