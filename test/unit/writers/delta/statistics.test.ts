import { describe, expect, test } from 'vitest'
import {
  type Cell,
  type DeltaType,
  decimal,
  field,
  type StructType,
  struct,
} from '../../../../schemas/delta-types.ts'
import { memberSpan } from '../../../../writers/delta/json-span.ts'
import {
  encodeStatistics,
  numRecordsOf,
  truncatedMax,
  truncatedMin,
  widenBounds,
} from '../../../../writers/delta/statistics.ts'
import { ColumnSet } from '../../../../writers/parquet/column-set.ts'
import { encodeParquet } from '../../../../writers/parquet/encode-parquet.ts'
import type { LeafStatistics } from '../../../../writers/parquet/leaf-statistics.ts'

function leaf(
  type: DeltaType,
  min: Cell | undefined,
  max: Cell | undefined,
  more: Partial<LeafStatistics> = {},
): LeafStatistics {
  return { path: ['c'], type, nullCount: 0, min, max, hasNaN: false, ...more }
}

/** `min|max` of one column as the text of the log has them; `-` where there is none. */
function bounds(type: DeltaType, min: Cell | undefined, max: Cell | undefined): string {
  const text = encodeStatistics(1, [leaf(type, min, max)], 32)
  const one = (name: string) => {
    const span = memberSpan(text, name)!
    const values = text.slice(span.start, span.end)
    return values === '{}' ? '-' : values.slice('{"c":'.length, -1)
  }
  return `${one('minValues')}|${one('maxValues')}`
}

function statisticsOf(schema: StructType, rows: readonly (readonly Cell[])[]): readonly LeafStatistics[] {
  const columns = new ColumnSet(schema)
  for (const row of rows) columns.append(row)
  const options = {
    codec: 'uncompressed',
    pageRows: 100,
    rowGroupRows: 100,
    pageIndex: false,
    createdBy: '',
  } as const
  return encodeParquet(columns, options).statistics
}

describe('statistics of a file', () => {
  test('nest as the schema does, and leave out what has no bound', () => {
    const leaves = [
      leaf('long', 1n, 2n, { path: ['id'] }),
      leaf('boolean', undefined, undefined, { path: ['s', 'flag'], nullCount: 3 }),
      leaf('string', 'a', 'b', { path: ['s', 't', 'x'] }),
      leaf({ kind: 'array', element: 'long', containsNull: true }, undefined, undefined, {
        path: ['l'],
        nullCount: 4,
      }),
    ]
    expect(encodeStatistics(9, leaves, 32)).toBe(
      '{"numRecords":9,"minValues":{"id":1,"s":{"t":{"x":"a"}}},"maxValues":{"id":2,"s":{"t":{"x":"b"}}},' +
        '"nullCount":{"id":0,"s":{"flag":3,"t":{"x":0}},"l":4}}',
    )
  })

  test('a column of nulls has a count and no bounds', () => {
    expect(encodeStatistics(2, [leaf('long', undefined, undefined, { nullCount: 2 })], 32)).toBe(
      '{"numRecords":2,"minValues":{},"maxValues":{},"nullCount":{"c":2}}',
    )
  })

  test.each<[string, number | string[], string]>([
    ['the first 2 leaves', 2, '{"a":0,"s":{"x":0}}'],
    ['all', -1, '{"a":0,"s":{"x":0,"y":0},"b":0}'],
    ['none', 0, '{}'],
    ['named ones, a struct standing for its fields', ['s', 'b'], '{"s":{"x":0,"y":0},"b":0}'],
    ['a named field of a struct', ['s.y'], '{"s":{"y":0}}'],
  ])('are kept for %s when the table says so', (_, columns, nullCount) => {
    const leaves = [['a'], ['s', 'x'], ['s', 'y'], ['b']].map((path) => leaf('long', 1n, 1n, { path }))
    expect(encodeStatistics(1, leaves, columns)).toContain(`"nullCount":${nullCount}}`)
  })

  test.each<[string, DeltaType, Cell | undefined, Cell | undefined, string]>([
    [
      'longs to the digit',
      'long',
      -9223372036854775808n,
      9223372036854775807n,
      '-9223372036854775808|9223372036854775807',
    ],
    ['integers', 'integer', -5, 7, '-5|7'],
    [
      'decimals without exponent',
      decimal(38, 10),
      -1n,
      10n ** 37n,
      '-0.0000000001|1000000000000000000000000000.0000000000',
    ],
    [
      'decimals of scale 0 without a point',
      decimal(20, 0),
      0n,
      12345678901234567890n,
      '0|12345678901234567890',
    ],
    ['a decimal below one', decimal(5, 3), -1n, 1n, '-0.001|0.001'],
    ['doubles', 'double', 1, 1e300, '1.0|1e+300'],
    ['a float as the double it is', 'float', Math.fround(0.1), 0.5, '0.10000000149011612|0.5'],
    ['zeros with the sign that bounds both', 'double', 0, -0, '-0.0|0.0'],
    ['no infinities', 'double', -Infinity, Infinity, '-|-'],
    ['dates', 'date', -719162, 2932896, '"0001-01-01"|"9999-12-31"'],
    ['no dates beyond four digits', 'date', -719163, 2932897, '-|-'],
    [
      'timestamps, down and up to the millisecond',
      'timestamp',
      1704067200123001n,
      1704067200123001n,
      '"2024-01-01T00:00:00.123Z"|"2024-01-01T00:00:00.124Z"',
    ],
    [
      'timestamps at a whole millisecond',
      'timestamp',
      1704067200123000n,
      1704067200123000n,
      '"2024-01-01T00:00:00.123Z"|"2024-01-01T00:00:00.123Z"',
    ],
    [
      'timestamps before 1970',
      'timestamp',
      -1n,
      -1n,
      '"1969-12-31T23:59:59.999Z"|"1970-01-01T00:00:00.000Z"',
    ],
    [
      'timestamps without zone',
      'timestamp_ntz',
      -999999n,
      -999999n,
      '"1969-12-31T23:59:59.000"|"1969-12-31T23:59:59.001"',
    ],
    [
      'no timestamp that rounds into year 10000',
      'timestamp',
      253402300799999000n,
      253402300799999001n,
      '"9999-12-31T23:59:59.999Z"|-',
    ],
    ['no booleans', 'boolean', false, true, '-|-'],
    ['no binary', 'binary', new Uint8Array(), new Uint8Array(), '-|-'],
    ['strings with what JSON escapes', 'string', '"\\\n', '\u2028', '"\\"\\\\\\n"|"\u2028"'],
  ])('say %s', (_, type, min, max, expected) => {
    expect(bounds(type, min, max)).toBe(expected)
  })

  test('a column with NaN has no bounds', () => {
    expect(encodeStatistics(1, [leaf('double', 1, 2, { hasNaN: true })], 32)).toContain('"minValues":{}')
  })

  test('of a real file order strings by code point, not by UTF-16 unit', () => {
    const statistics = statisticsOf(struct([field('c', 'string')]), [['\u{1F600}'], ['\uFFFD'], ['a']])
    expect(encodeStatistics(3, statistics, 32)).toContain('"maxValues":{"c":"\u{1F600}"}')
  })

  test('of a real file have the null count of a container and nothing of its elements', () => {
    const schema = struct([
      field('l', { kind: 'array', element: 'long', containsNull: true }),
      field('id', 'long'),
    ])
    expect(
      encodeStatistics(
        2,
        statisticsOf(schema, [
          [[1n, null], 5n],
          [null, 6n],
        ]),
        32,
      ),
    ).toBe('{"numRecords":2,"minValues":{"id":5},"maxValues":{"id":6},"nullCount":{"l":1,"id":0}}')
  })
})

describe('long strings', () => {
  const a32 = 'a'.repeat(32)

  test.each<[string, string, string, string | undefined]>([
    ['of 32 units stay as they are', a32, a32, a32],
    ['get DEL behind the prefix when an ASCII character was dropped', `${a32}b`, a32, `${a32}\u007f`],
    ['get U+10FFFF when DEL or more was dropped', `${a32}\u007f`, a32, `${a32}\u{10ffff}`],
    ['get U+10FFFF when an umlaut was dropped', `${a32}ü`, a32, `${a32}\u{10ffff}`],
    ['extend past a dropped U+10FFFF', `${a32}\u{10ffff}bc`, a32, `${a32}\u{10ffff}\u007f`],
    ['extend to their end', `${a32}\u{10ffff}`, a32, `${a32}\u{10ffff}`],
    [
      'have no upper bound when there are too many of those',
      `${a32}${'\u{10ffff}'.repeat(20)}x`,
      a32,
      undefined,
    ],
    ['never split a pair', `${'a'.repeat(31)}\u{1F600}b`, 'a'.repeat(31), `${'a'.repeat(31)}\u{10ffff}`],
    [
      'keep a pair that fits',
      `${'a'.repeat(30)}\u{1F600}b`,
      `${'a'.repeat(30)}\u{1F600}`,
      `${'a'.repeat(30)}\u{1F600}\u007f`,
    ],
  ])('%s', (_, text, min, max) => {
    expect(truncatedMin(text)).toBe(min)
    expect(truncatedMax(text)).toBe(max)
  })
})

describe('statistics of a file that gets a deletion vector', () => {
  test('are the same text with bounds said to be wide', () => {
    const stats = '{"numRecords":5,"minValues":{"id":9223372036854775807,"x":1.50},"nullCount":{}}'
    expect(widenBounds(stats)).toBe(
      '{"numRecords":5,"minValues":{"id":9223372036854775807,"x":1.50},"nullCount":{},"tightBounds":false}',
    )
  })

  test('replace what was said before, and only at the top', () => {
    expect(widenBounds('{"numRecords": 5, "tightBounds" : true }')).toBe(
      '{"numRecords": 5, "tightBounds" : false }',
    )
    expect(
      widenBounds('{"minValues":{"tightBounds":true,"s":"\\"tightBounds\\":true"},"numRecords":1}'),
    ).toBe(
      '{"minValues":{"tightBounds":true,"s":"\\"tightBounds\\":true"},"numRecords":1,"tightBounds":false}',
    )
    expect(widenBounds(widenBounds('{"numRecords":1}'))).toBe('{"numRecords":1,"tightBounds":false}')
    expect(widenBounds('{}')).toBe('{"tightBounds":false}')
  })

  test('the number of rows is read without parsing the rest', () => {
    expect(numRecordsOf('{"minValues":{"numRecords":7},"numRecords":12}')).toBe(12)
    expect(numRecordsOf('{"minValues":{"numRecords":7}}')).toBeUndefined()
    expect(numRecordsOf('{"numRecords":"x"}')).toBeUndefined()
    expect(numRecordsOf(undefined)).toBeUndefined()
  })
})
