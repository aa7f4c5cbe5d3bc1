import { parquetMetadata, readColumnIndex, readOffsetIndex, type SchemaElement } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { arrayOf, type Cell, decimal, field, mapOf, struct } from '../../../../schemas/delta-types.ts'
import { ColumnSet } from '../../../../writers/parquet/column-set.ts'
import { openParquet } from '../../../../writers/parquet/read-parquet.ts'
import { memorySource } from '../../../support/memory-source.ts'
import { encodeRows, readRows } from '../../../support/parquet-file.ts'

const RAW = { parsers: { stringFromBytes: (bytes: Uint8Array) => bytes?.slice() } }

function chunksOf(bytes: Uint8Array) {
  return parquetMetadata(bytes, RAW).row_groups.map((group) => group.columns)
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

describe('the schema of a file', () => {
  function elements(...types: Parameters<typeof field>[1][]): SchemaElement[] {
    const { bytes } = encodeRows(struct(types.map((type, i) => field(`c${i}`, type))), [])
    return parquetMetadata(bytes).schema.slice(1)
  }

  test('stores each type as Delta asks', () => {
    const kinds = elements(
      'boolean',
      'byte',
      'short',
      'integer',
      'long',
      'float',
      'double',
      'string',
      'binary',
      'date',
      'timestamp',
      'timestamp_ntz',
    ).map(({ type, converted_type, logical_type }) => [type, converted_type, logical_type])
    const timestamp = (isAdjustedToUTC: boolean) => ({ type: 'TIMESTAMP', isAdjustedToUTC, unit: 'MICROS' })
    expect(kinds).toEqual([
      ['BOOLEAN', undefined, undefined],
      ['INT32', 'INT_8', { type: 'INTEGER', bitWidth: 8, isSigned: true }],
      ['INT32', 'INT_16', { type: 'INTEGER', bitWidth: 16, isSigned: true }],
      ['INT32', undefined, undefined],
      ['INT64', undefined, undefined],
      ['FLOAT', undefined, undefined],
      ['DOUBLE', undefined, undefined],
      ['BYTE_ARRAY', 'UTF8', { type: 'STRING' }],
      ['BYTE_ARRAY', undefined, undefined],
      ['INT32', 'DATE', { type: 'DATE' }],
      ['INT64', 'TIMESTAMP_MICROS', timestamp(true)],
      ['INT64', undefined, timestamp(false)],
    ])
  })

  test('stores decimals in the smallest form that holds their precision', () => {
    const forms = [1, 9, 10, 18, 19, 28, 38].map((precision) => {
      const [element] = elements(decimal(precision, 1))
      expect(element).toMatchObject({ converted_type: 'DECIMAL', scale: 1, precision })
      return [precision, element?.type, element?.type_length]
    })
    expect(forms).toEqual([
      [1, 'INT32', undefined],
      [9, 'INT32', undefined],
      [10, 'INT64', undefined],
      [18, 'INT64', undefined],
      [19, 'FIXED_LEN_BYTE_ARRAY', 9],
      [28, 'FIXED_LEN_BYTE_ARRAY', 12],
      [38, 'FIXED_LEN_BYTE_ARRAY', 16],
    ])
  })

  test('spells arrays and maps with three levels, and required where a field is not nullable', () => {
    const notNull = { ...field('n', arrayOf('integer')), nullable: false }
    const { bytes } = encodeRows(struct([notNull, field('m', mapOf('string', 'long'))]), [])
    const spelled = parquetMetadata(bytes).schema.map(({ name, repetition_type, converted_type }) =>
      [repetition_type, name, converted_type].filter((word) => word !== undefined).join(' '),
    )
    expect(spelled).toEqual([
      'schema',
      'REQUIRED n LIST',
      'REPEATED list',
      'OPTIONAL element',
      'OPTIONAL m MAP',
      'REPEATED key_value',
      'REQUIRED key UTF8',
      'OPTIONAL value',
    ])
  })
})

describe('a written file', () => {
  test('has row groups and pages of the sizes asked for, and says where each page is', async () => {
    const schema = struct([field('n', 'long'), field('l', arrayOf('integer'))])
    const rows = Array.from({ length: 25 }, (_, i): Cell[] => [BigInt(i), [i, i, null]])
    const { bytes } = encodeRows(schema, rows, { rowGroupRows: 10, pageRows: 4 })
    const metadata = parquetMetadata(bytes)
    expect(metadata.row_groups.map((group) => group.num_rows)).toEqual([10n, 10n, 5n])
    const firstRows = metadata.row_groups.map((group) =>
      group.columns.map((chunk) => {
        const start = Number(chunk.offset_index_offset)
        const view = new DataView(bytes.buffer, bytes.byteOffset + start, chunk.offset_index_length)
        return readOffsetIndex({ view, offset: 0 }).page_locations.map((page) => page.first_row_index)
      }),
    )
    expect(firstRows).toEqual([
      [
        [0n, 4n, 8n],
        [0n, 4n, 8n],
      ],
      [
        [0n, 4n, 8n],
        [0n, 4n, 8n],
      ],
      [
        [0n, 4n],
        [0n, 4n],
      ],
    ])
  })

  test('cuts a page of large values before it has all its rows', async () => {
    const schema = struct([field('s', 'string')])
    const rows = Array.from({ length: 12 }, (_, i) => [`${i}`.repeat(300_000)])
    const { bytes } = encodeRows(schema, rows, { pageRows: 12 })
    const chunk = parquetMetadata(bytes).row_groups[0]!.columns[0]!
    const view = new DataView(
      bytes.buffer,
      bytes.byteOffset + Number(chunk.offset_index_offset),
      chunk.offset_index_length,
    )
    expect(readOffsetIndex({ view, offset: 0 }).page_locations.length).toBeGreaterThan(3)
    const reader = await openParquet(memorySource(bytes))
    expect(await reader.rows(schema, [0, 5, 11])).toEqual([rows[0], rows[5], rows[11]])
  })

  test('uses a dictionary where it shrinks the column and not elsewhere', () => {
    const schema = struct([field('few', 'string'), field('many', 'string'), field('id', 'long')])
    const rows = Array.from({ length: 3000 }, (_, i): Cell[] => [
      ['new', 'paid'][i % 2]!,
      `text ${i}`,
      BigInt(i),
    ])
    const [few, many, id] = chunksOf(encodeRows(schema, rows).bytes)[0]!.map(
      (chunk) => chunk.meta_data!.encodings,
    )
    expect(few).toContain('RLE_DICTIONARY')
    expect(many).toEqual(['PLAIN', 'RLE'])
    expect(id).toEqual(['PLAIN', 'RLE'])
  })

  test('has no bounds for a chunk with a NaN, and no column index beside its offset index', () => {
    const rows = [[1], [Number.NaN]]
    const [chunk] = chunksOf(encodeRows(struct([field('d', 'double')]), rows).bytes)[0]!
    expect(chunk?.meta_data?.statistics).toMatchObject({
      null_count: 0n,
      min_value: undefined,
      max_value: undefined,
    })
    expect(chunk?.column_index_offset).toBeUndefined()
    expect(chunk?.offset_index_offset).toBeDefined()
  })

  test('cuts long bounds of text between characters and rounds the upper one up, marked as not exact', () => {
    // 63 bytes, then a character of two: the cut falls before it.
    const low = `${'a'.repeat(63)}ä tail`
    const high = `${'b'.repeat(61)}\ud7ff${'\u{10ffff}'.repeat(3)}`
    const [chunk] = chunksOf(encodeRows(struct([field('s', 'string')]), [[low], [high]]).bytes)[0]!
    expect(chunk?.meta_data?.statistics).toMatchObject({
      min_value: utf8('a'.repeat(63)),
      is_min_value_exact: false,
      max_value: utf8(`${'b'.repeat(61)}\ue000`),
      is_max_value_exact: false,
    })
  })

  test('keeps a bound that nothing short stands above', () => {
    const top = '\u{10ffff}'.repeat(30)
    const [chunk] = chunksOf(encodeRows(struct([field('s', 'string')]), [[top]]).bytes)[0]!
    expect(chunk?.meta_data?.statistics).toMatchObject({ max_value: utf8(top), is_max_value_exact: true })
    const bytesTop = new Uint8Array(100).fill(0xff)
    const [binary] = chunksOf(encodeRows(struct([field('b', 'binary')]), [[bytesTop]]).bytes)[0]!
    expect(binary?.meta_data?.statistics).toMatchObject({ max_value: bytesTop, is_max_value_exact: true })
  })

  test('tells bounds, nulls and order of each page', () => {
    const schema = struct([field('n', 'integer')])
    const cells = [1, 2, null, 2, null, null, 3, 4]
    const rows = cells.map((cell) => [cell])
    const { bytes } = encodeRows(schema, rows, { pageRows: 2 })
    const metadata = parquetMetadata(bytes)
    const chunk = metadata.row_groups[0]!.columns[0]!
    const view = new DataView(
      bytes.buffer,
      bytes.byteOffset + Number(chunk.column_index_offset),
      chunk.column_index_length,
    )
    const index = readColumnIndex({ view, offset: 0 }, { name: 'n', type: 'INT32' })
    expect(index.null_pages).toEqual([false, false, true, false])
    expect(index.null_counts).toEqual([0n, 1n, 2n, 0n])
    expect([index.min_values[1], index.max_values[1], index.min_values[3], index.max_values[3]]).toEqual([
      2, 2, 3, 4,
    ])
    expect(index.boundary_order).toBe('ASCENDING')
  })

  test('without rows is a file all the same', async () => {
    const schema = struct([field('n', 'integer')])
    const { bytes, rowCount } = encodeRows(schema, [])
    expect(rowCount).toBe(0)
    const reader = await openParquet(memorySource(bytes))
    expect([reader.rowCount, await readRows(reader, schema)]).toEqual([0, []])
  })
})

describe('a column set', () => {
  test('grows with what it holds', () => {
    const columns = new ColumnSet(struct([field('s', 'string'), field('n', 'long')]))
    const empty = columns.sizeBytesEstimate
    for (let i = 0; i < 1000; i++) columns.append(['x'.repeat(50), 1n])
    expect(columns.rowCount).toBe(1000)
    expect(columns.sizeBytesEstimate - empty).toBeGreaterThan(62_000)
    expect(columns.sizeBytesEstimate - empty).toBeLessThan(70_000)
  })

  test.each<[string, Parameters<typeof field>[1], unknown]>([
    ['a number in a long column', 'long', 1],
    ['a long beyond 64 bits', 'long', 2n ** 63n],
    ['an integer beyond its type', 'byte', 128],
    ['a fraction in an integer column', 'integer', 1.5],
    ['a decimal beyond its precision, in any form', decimal(9, 2), 10n ** 9n],
    ['a decimal beyond its precision, in any form', decimal(18, 2), -(10n ** 18n)],
    ['a decimal beyond its precision, in any form', decimal(38, 0), 10n ** 38n],
    ['a cell that is not there', 'integer', undefined],
    ['a number in a string column', 'string', 1],
    ['a string in a binary column', 'binary', 'x'],
    ['a struct with a cell too few', struct([field('x', 'long'), field('y', 'long')]), [1n]],
  ])('takes no %s', (_, type, cell) => {
    const columns = new ColumnSet(struct([field('c', type)]))
    expect(() => columns.append([cell as Cell])).toThrow(/cell|another number/)
  })

  test('takes no null where the schema allows none, at any depth', () => {
    const inner = struct([{ ...field('required', 'integer'), nullable: false }])
    const columns = new ColumnSet(struct([field('s', inner)]))
    columns.append([null])
    expect(() => columns.append([[null]])).toThrow('null in the column s.required, which is not nullable')
  })

  test('takes no row with a cell too many', () => {
    const columns = new ColumnSet(struct([field('c', 'integer')]))
    expect(() => columns.append([1, 2])).toThrow('another number of cells')
  })
})
