import { describe, expect, test } from 'vitest'
import { finalRows } from '../../e2e/final-rows.ts'
import { INVENTORY } from '../../e2e/source-schema.ts'
import { sourceType } from '../../e2e/source-types.ts'
import { elementSlices, memberSlices } from '../../support/json-slices.ts'

describe('cutting JSON text', () => {
  test('a member keeps the spelling of its value', () => {
    expect(
      memberSlices('{"n":12345678901234567890.10, "j":{"b": 1,  "a": [1, 2.50]}, "s":"a,\\"}"}'),
    ).toEqual([
      ['n', '12345678901234567890.10'],
      ['j', '{"b": 1,  "a": [1, 2.50]}'],
      ['s', '"a,\\"}"'],
    ])
  })

  test('elements are cut at their own commas only', () => {
    expect(elementSlices('[1.10,null,"a,b",[2,3]]')).toEqual(['1.10', 'null', '"a,b"', '[2,3]'])
    expect(elementSlices('[]')).toEqual([])
  })
})

describe('a value of row_to_json in canonical form', () => {
  test.each([
    ['smallint', '-32768', -32768],
    ['bigint', '9223372036854775807', '9223372036854775807'],
    ['oid', '"42"', '42'],
    ['real', '0.1', 0.10000000149011612],
    ['double precision', '1e-07', 1e-7],
    ['double precision', '"NaN"', 'NaN'],
    ['numeric(10,2)', '12345678.90', '12345678.90'],
    ['numeric', '100', '100'],
    ['numeric', '1.500', '1.5'],
    ['numeric', '2.000', '2'],
    ['money', '"-$1,234.56"', '-1234.56'],
    ['bool', 'true', true],
    ['char(5)', '"ab   "', 'ab   '],
    ['bytea', '"\\\\x00ff10"', '0x00ff10'],
    ['json', '{"b": 1,  "a": [1, 2.50, null]}', '{"b": 1,  "a": [1, 2.50, null]}'],
    ['hstore', '{"k1": "v1", "k 2": null}', '{"k1":"v1","k 2":null}'],
    ['date', '"9999-12-31"', '9999-12-31'],
    ['time(3)', '"13:14:15.123"', '13:14:15.123000'],
    ['timetz', '"13:14:15.123456+02"', '11:14:15.123456Z'],
    ['timetz', '"00:00:00+05:30"', '18:30:00Z'],
    ['timestamp', '"2262-04-12T00:00:00.000001"', '2262-04-12T00:00:00.000001'],
    ['timestamptz', '"2024-07-01T10:00:00.5+00:00"', '2024-07-01T10:00:00.500000Z'],
    ['interval', '"1 year 2 mons 3 days 04:05:06.789"', '37091106789000'],
    ['interval', '"-1 days -00:00:01"', '-86401000000'],
    ['point', '"(1.5,-2.25)"', { x: 1.5, y: -2.25 }],
    ['bit(1)', '"1"', true],
    ['bit(8)', '"10101010"', '10101010'],
    ['int[]', '[1,null,3]', [1, null, 3]],
    ['numeric(10,2)[]', '[1.10,2.20]', ['1.10', '2.20']],
    ['timestamptz[]', '["2024-02-29T13:14:15+00:00"]', ['2024-02-29T13:14:15.000000Z']],
  ])('%s %s', (type, raw, cell) => {
    expect(sourceType(type).cell(raw)).toEqual(cell)
  })

  test('a type without a rule is refused', () => {
    expect(() => sourceType('tsvector')).toThrow('tsvector')
  })
})

test('a row keeps nulls and refuses a column that the source schema does not name', () => {
  const table = INVENTORY['gen_cols']!
  expect(finalRows(table, '{"id":1,"a":null,"twice":60}\n')).toEqual([{ id: 1, a: null, twice: 60 }])
  expect(() => finalRows(table, '{"id":1,"other":2}')).toThrow('other')
})
