import { readFileSync } from 'node:fs'
import { parquetSchema, type SchemaElement } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import {
  arrayOf,
  type Cell,
  type DeltaType,
  decimal,
  field,
  mapOf,
  type StructType,
  struct,
} from '../../../../schemas/delta-types.ts'
import { readCell } from '../../../../writers/parquet/read-cell.ts'
import { openParquet } from '../../../../writers/parquet/read-parquet.ts'
import { resolveColumns } from '../../../../writers/parquet/read-tree.ts'
import { memorySource } from '../../../support/memory-source.ts'
import { encodeRows, readRows } from '../../../support/parquet-file.ts'

const FIXTURES = new URL('../../../../fixtures/parquet/', import.meta.url)
const DAY = 86_400_000_000n
const FIRST_DAY = -719162n * DAY
const LAST_MICRO = 253_402_300_799_999_999n

async function readFixture(name: string, schema: StructType): Promise<Cell[][]> {
  const reader = await openParquet(memorySource(readFileSync(new URL(`${name}.parquet`, FIXTURES))))
  const rows = await readRows(reader, schema)
  const all = rows.map((_, i) => i)
  expect(await reader.rows(schema, all)).toEqual(rows)
  expect(
    await reader.rows(
      schema,
      all.filter((i) => i % 7 === 3),
    ),
  ).toEqual(rows.filter((_, i) => i % 7 === 3))
  return rows
}

describe('files of others', () => {
  test('of Spark: every primitive type', async () => {
    const schema = struct([
      field('utf8', 'string'),
      field('int64', 'long'),
      field('int32', 'integer'),
      field('int16', 'short'),
      field('int8', 'byte'),
      field('float32', 'float'),
      field('float64', 'double'),
      field('bool', 'boolean'),
      field('binary', 'binary'),
      field('decimal', decimal(5, 3)),
      field('date32', 'date'),
      field('timestamp', 'timestamp'),
    ])
    const expected = [0, 1, 2, 3, 4].map((i) => {
      const time = BigInt(i) * 3_600_000_000n
      return [
        `${i}`,
        BigInt(i),
        i,
        i,
        i,
        i,
        i,
        i % 2 === 0,
        new Uint8Array(i),
        BigInt(10 + i) * 1000n,
        i,
        time,
      ]
    })
    expect(await readFixture('spark-primitive-types', schema)).toEqual(expected)
  })

  test('of Spark: struct, array and map, with a field the file does not have', async () => {
    const schema = struct([
      field('pk', 'integer'),
      field(
        'struct',
        struct([field('bool', 'boolean'), field('later', 'string'), field('float64', 'double')]),
      ),
      field('array', arrayOf('short')),
      field('map', mapOf('string', 'integer')),
      field('missing', arrayOf('long')),
    ])
    const expected = [0, 1, 2, 3, 4].map((i) => {
      const upTo = Array.from({ length: i }, (_, k) => k)
      return [i, [i % 2 === 0, null, i], [...upTo, i], upTo.map((k) => [`${k}`, k]), null]
    })
    expect(await readFixture('spark-nested-types', schema)).toEqual(expected)
  })

  test('of Spark: a checkpoint, whose structs are null in most rows', async () => {
    const schema = struct([
      field(
        'add',
        struct([
          field('size', 'long'),
          field('partitionValues', mapOf('string', 'string')),
          field('tags', mapOf('string', 'string')),
        ]),
      ),
      field(
        'metaData',
        struct([
          field('configuration', mapOf('string', 'string')),
          field('partitionColumns', arrayOf('string')),
        ]),
      ),
      field(
        'protocol',
        struct([field('minReaderVersion', 'integer'), field('readerFeatures', arrayOf('string'))]),
      ),
      field('remove', struct([field('unknown', 'string')])),
    ])
    expect(await readFixture('spark-checkpoint', schema)).toEqual([
      [null, null, [1, null], null],
      [null, [[['delta.checkpointInterval', '2']], []], null, null],
      [null, null, null, [null]],
      [[981n, [], null], null, null, null],
    ])
  })

  test('INT96 timestamps from the year 1 to the year 9999 come to the microsecond', async () => {
    const rows = await readFixture('pyarrow-int96', struct([field('t', 'timestamp')]))
    expect(rows).toEqual([[FIRST_DAY], [-1n], [null], [LAST_MICRO]])
  })

  test('milliseconds and nanoseconds become microseconds, rounded to the past', async () => {
    const rows = await readFixture(
      'pyarrow-time-units',
      struct([field('millis', 'timestamp'), field('nanos', 'timestamp_ntz')]),
    )
    expect(rows).toEqual([
      [-1000n, -1n],
      [1_500_000_001_000n, 1_500_000n],
      [null, null],
      [-1_000_001_000n, -1001n],
    ])
  })

  test('decimals of 38 digits come exactly, at another scale too', async () => {
    const most = 10n ** 38n - 1n
    expect(await readFixture('pyarrow-decimals', struct([field('d', decimal(38, 9))]))).toEqual([
      [most],
      [-most],
      [null],
      [1n],
    ])
    const wider = await readFixture('pyarrow-decimals', struct([field('d', decimal(38, 11))]))
    expect(wider).toEqual([[most * 100n], [-most * 100n], [null], [100n]])
    await expect(readFixture('pyarrow-decimals', struct([field('d', decimal(38, 8))]))).rejects.toThrow(
      'do not fit scale 8',
    )
  })

  const many = Array.from({ length: 1000 }, (_, i): Cell[] => [
    BigInt(i - 500) * 2n ** 53n,
    i % 7 === 0 ? null : i % 5,
    i % 3 === 0 ? null : `text ${Math.floor(i / 10)}`,
    i % 5 === 0 ? null : Array.from({ length: i % 4 }, (_, j) => (j % 2 ? j : null)),
  ])
  const manySchema = struct([
    field('id', 'long'),
    field('small', 'integer'),
    field('text', 'string'),
    field('list', arrayOf('integer')),
  ])

  test.each(['zstd', 'gzip'])('%s, in pages of version 1 or 2 and with dictionaries', async (codec) => {
    expect(await readFixture(`pyarrow-${codec}`, manySchema)).toEqual(many)
  })

  test('delta encodings of numbers and text', async () => {
    const rows = await readFixture('pyarrow-delta-encodings', struct(manySchema.fields.slice(0, 3)))
    expect(rows).toEqual(many.map((row) => row.slice(0, 3)))
  })

  test('lists of two levels, whose items are the repeated field itself', () => {
    const elements: SchemaElement[] = [
      { name: 'schema', num_children: 1 },
      { name: 'f', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
      { name: 'array', repetition_type: 'REPEATED', type: 'INT32' },
    ]
    const [node] = resolveColumns(
      struct([field('f', arrayOf('integer'))]),
      parquetSchema({ schema: elements }),
    )
    if (node?.kind !== 'repeated') throw new Error('not an array')
    const entries = { reps: [0, 1, 0, 0], defs: [2, 2, 1, 0], values: [5, 6], entry: 0, value: 0 }
    const entriesOf = new Map([[node.leaves[0]!, entries]])
    expect([1, 2, 3].map(() => readCell(node, entriesOf))).toEqual([[5, 6], [], null])
  })
})

describe('a column that the table has widened', () => {
  async function readAs(stored: DeltaType, cell: Cell, wanted: DeltaType): Promise<Cell> {
    const { bytes } = encodeRows(struct([field('c', stored)]), [[cell]])
    const rows = await readRows(await openParquet(memorySource(bytes)), struct([field('c', wanted)]))
    return rows[0]![0]!
  }

  test.each<[DeltaType, Cell, DeltaType, Cell]>([
    ['byte', -128, 'integer', -128],
    ['integer', -(2 ** 31), 'long', -(2n ** 31n)],
    ['integer', 7, 'double', 7],
    ['float', 0.5, 'double', 0.5],
    ['short', -3, decimal(12, 2), -300n],
    ['long', 5n, decimal(21, 1), 50n],
    [decimal(5, 2), -12345n, decimal(20, 4), -1234500n],
    [decimal(38, 0), 10n ** 30n, decimal(38, 5), 10n ** 35n],
    ['date', -719162, 'timestamp_ntz', FIRST_DAY],
    [arrayOf('integer'), [1, null], arrayOf('long'), [1n, null]],
  ])('stored as %j, %s, is read as %j', async (stored, cell, wanted, expected) => {
    expect(await readAs(stored, cell, wanted)).toEqual(expected)
  })

  test.each<[DeltaType, Cell, DeltaType]>([
    ['long', 1n, 'integer'],
    ['timestamp', 1n, 'long'],
    ['long', 1n, 'timestamp'],
    ['double', 1, 'float'],
    ['string', 'x', 'long'],
    ['integer', 1, 'string'],
    [decimal(5, 2), 1n, 'integer'],
    ['integer', 1, arrayOf('integer')],
    [arrayOf('integer'), [1], 'integer'],
    [arrayOf('integer'), [1], mapOf('integer', 'integer')],
  ])('stored as %j, %s, is refused as %j', async (stored, cell, wanted) => {
    await expect(readAs(stored, cell, wanted)).rejects.toMatchObject({
      code: 'E_PARQUET_TYPE',
      remedy: 'stop-table',
    })
  })

  test('unsigned integers are refused: half of them would come out negative', () => {
    const elements: SchemaElement[] = [
      { name: 'schema', num_children: 1 },
      { name: 'u', repetition_type: 'OPTIONAL', type: 'INT32', converted_type: 'UINT_32' },
    ]
    const root = parquetSchema({ schema: elements })
    expect(() => resolveColumns(struct([field('u', 'long')]), root)).toThrow('the column u of a Parquet file')
  })
})

describe('reading', () => {
  const schema = struct([
    field('id', 'long'),
    field('text', 'string'),
    field('few', 'string'),
    field('l', arrayOf('integer')),
  ])
  const rows = Array.from({ length: 20_000 }, (_, i): Cell[] => [BigInt(i), `text ${i}`, `${i % 3}`, [i]])
  const { bytes } = encodeRows(schema, rows, { pageRows: 500, rowGroupRows: 8000 })

  test('gives a batch a row group, cut to the range asked for', async () => {
    const reader = await openParquet(memorySource(bytes))
    const seen: [number, number, Cell, Cell][] = []
    for await (const batch of reader.batches(struct([field('l', arrayOf('integer')), field('id', 'long')]), {
      start: 7990,
      end: 16_010,
    })) {
      const [lists, ids] = batch.columns
      seen.push([batch.startRow, batch.rowCount, ids![0]!, lists![batch.rowCount - 1]!])
    }
    expect(seen).toEqual([
      [7990, 10, 7990n, [7999]],
      [8000, 8000, 8000n, [15_999]],
      [16_000, 10, 16_000n, [16_009]],
    ])
  })

  test('takes only the pages that hold the rows asked for', async () => {
    const wide = struct([field('text', 'string')])
    const texts = Array.from({ length: 5000 }, (_, i) => [`${i}`.padStart(200)])
    const source = memorySource(encodeRows(wide, texts, { codec: 'uncompressed', pageRows: 500 }).bytes)
    const reader = await openParquet(source)
    source.reads.length = 0
    expect(await reader.rows(wide, [3, 4, 4999])).toEqual([texts[3], texts[4], texts[4999]])
    const read = source.reads.reduce((sum, { start, end }) => sum + end - start, 0)
    expect(read).toBeLessThan((source.sizeBytes * 2.1) / 10)
  })

  test('takes no more than the columns asked for', async () => {
    const source = memorySource(bytes)
    const reader = await openParquet(source)
    source.reads.length = 0
    await readRows(reader, struct([field('few', 'string')]))
    const read = source.reads.reduce((sum, { start, end }) => sum + end - start, 0)
    expect(read).toBeLessThan(bytes.length / 10)
  })

  test('finds single rows without an offset index too', async () => {
    const plain = encodeRows(schema, rows, { pageRows: 500, rowGroupRows: 8000, pageIndex: false }).bytes
    const reader = await openParquet(memorySource(plain))
    expect(await reader.rows(schema, [0, 8000, 19_999])).toEqual([rows[0], rows[8000], rows[19_999]])
  })

  test('keeps what a number or a Date would lose', async () => {
    const extremes = struct([
      field('long', 'long'),
      field('time', 'timestamp'),
      field('decimal', decimal(38, 9)),
      field('double', 'double'),
      field('map', mapOf('long', 'string')),
    ])
    const most = 10n ** 38n - 1n
    const cells: Cell[][] = [
      [
        2n ** 63n - 1n,
        FIRST_DAY,
        most,
        Number.NaN,
        [
          [2n ** 53n + 1n, 'a'],
          [1n, 'b'],
        ],
      ],
      [-(2n ** 63n), LAST_MICRO, -most, -0, []],
      [2n ** 53n + 1n, 1n, 1n, Number.MIN_VALUE, null],
    ]
    const reader = await openParquet(memorySource(encodeRows(extremes, cells).bytes))
    expect(await readRows(reader, extremes)).toStrictEqual(cells)
  })

  test('asks for rows in ascending order and of the file', async () => {
    const reader = await openParquet(memorySource(bytes))
    await expect(reader.rows(schema, [5, 4])).rejects.toThrow('not ascending')
    await expect(reader.rows(schema, [5, 5])).rejects.toThrow('not ascending')
    await expect(reader.rows(schema, [20_000])).rejects.toThrow('row 20000 is not in a file of 20000 rows')
  })
})

describe('a damaged file', () => {
  const schema = struct([field('s', 'string')])
  const { bytes } = encodeRows(schema, [['a'], ['b']], { codec: 'snappy' })
  const unreadable = { code: 'E_PARQUET_UNREADABLE', remedy: 'stop-table' }

  test.each<[string, Uint8Array]>([
    ['empty', new Uint8Array(0)],
    ['short', bytes.slice(0, 10)],
    ['without its end', bytes.slice(0, -3)],
    ['with a footer longer than the file', bytes.slice(-20)],
    ['of another kind', new TextEncoder().encode('{"a": 1}\n'.repeat(10))],
  ])('that is %s is refused when opened', async (_, damaged) => {
    await expect(openParquet(memorySource(damaged))).rejects.toMatchObject(unreadable)
  })

  test('whose pages hold other bytes is refused when read', async () => {
    const damaged = bytes.slice()
    damaged.fill(0xff, 4, 40)
    const reader = await openParquet(memorySource(damaged))
    await expect(readRows(reader, schema)).rejects.toMatchObject(unreadable)
  })

  test('that is shorter than its source says is refused', async () => {
    const source = { sizeBytes: bytes.length + 10, read: memorySource(bytes).read }
    await expect(openParquet(source)).rejects.toMatchObject(unreadable)
  })
})
