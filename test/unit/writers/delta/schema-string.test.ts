import { describe, expect, test } from 'vitest'
import { arrayOf, decimal, field, mapOf, struct } from '../../../../schemas/delta-types.ts'
import { parseSchemaString, renderSchemaString } from '../../../../writers/delta/schema-string.ts'

function structText(type: string): string {
  return `{"type":"struct","fields":[{"name":"s","type":{"type":"struct","fields":[{"name":"c","type":${type},"nullable":true,"metadata":{}}]}}]}`
}

describe('the schema in the log', () => {
  test('every type comes back as it was written', () => {
    const schema = struct([
      { ...field('id', 'long'), nullable: false },
      field('d', decimal(38, 10)),
      field('n', struct([field('x', 'timestamp_ntz'), field('y', arrayOf(arrayOf('binary')))])),
      field('m', { ...mapOf('string', struct([field('z', 'byte')])), valueContainsNull: false }),
      field('a', { ...arrayOf('short'), containsNull: false }),
    ])
    expect(parseSchemaString(renderSchemaString(schema))).toEqual(schema)
  })

  test('is written as Spark writes it', () => {
    expect(renderSchemaString(struct([field('a', 'integer'), field('l', arrayOf(decimal(9, 2)))]))).toBe(
      '{"type":"struct","fields":[{"name":"a","type":"integer","nullable":true,"metadata":{}},' +
        '{"name":"l","type":{"type":"array","elementType":"decimal(9,2)","containsNull":true},"nullable":true,"metadata":{}}]}',
    )
  })

  test('metadata is kept, large integers to the digit', () => {
    const text =
      '{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,' +
      '"metadata":{"delta.identity.highWaterMark":9007199254740993,"comment":"x","nested":{"a":[1]}}}]}'
    expect(parseSchemaString(text).fields[0]!.metadata).toEqual({
      'delta.identity.highWaterMark': 9007199254740993n,
      comment: 'x',
      nested: { a: [1] },
    })
    expect(renderSchemaString(parseSchemaString(text))).toBe(text)
  })

  test('a bare decimal is decimal(10,0)', () => {
    expect(parseSchemaString(structText('"decimal"')).fields[0]!.type).toEqual(
      struct([field('c', decimal(10, 0))]),
    )
  })

  test.each([
    '"variant"',
    '"void"',
    '"decimal(39,0)"',
    '"decimal(3,4)"',
    '{"type":"udt"}',
    'null',
    '"interval year"',
  ])('type %s stops the table and names the column', (type) => {
    expect(() => parseSchemaString(structText(type))).toThrow(
      expect.objectContaining({ code: 'E_SCHEMA_STRING', remedy: 'stop-table' }),
    )
    expect(() => parseSchemaString(structText(type))).toThrow('column s.c cannot be used')
  })

  test.each(['', '[]', '"long"', '{"type":"struct"}', '{"type":"struct","fields":[{"type":"long"}]}'])(
    'text %s is no schema',
    (text) => {
      expect(() => parseSchemaString(text)).toThrow(expect.objectContaining({ code: 'E_SCHEMA_STRING' }))
    },
  )
})
