import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { expect, test } from 'vitest'
import { type Cell, decimal, field, type StructType, struct } from '../../schemas/delta-types.ts'
import { encodeStatistics } from '../../writers/delta/statistics.ts'
import { ColumnCarrier } from '../../writers/parquet/carry-column.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import {
  type EncodedParquet,
  encodeParquet,
  ParquetFileEncoder,
} from '../../writers/parquet/encode-parquet.ts'
import { type LeafStatistics, mergeLeafStatistics } from '../../writers/parquet/leaf-statistics.ts'
import { openParquet } from '../../writers/parquet/read-parquet.ts'
import { leafTypes, rowsOf, structs } from '../support/arbitrary-cells.ts'
import { memorySource } from '../support/memory-source.ts'

const OPTIONS = {
  codec: 'snappy',
  pageRows: 7,
  rowGroupRows: 40,
  pageIndex: true,
  createdBy: 'test',
} as const

function fileOf(columns: ColumnSet, pageRows: number): Uint8Array {
  return encodeParquet(columns, { ...OPTIONS, pageRows }).bytes
}

function columnsOf(schema: StructType, rows: readonly (readonly Cell[])[]): ColumnSet {
  const columns = new ColumnSet(schema)
  for (const row of rows) columns.append(row)
  return columns
}

/** Rows of a file in another one, as a merge takes them over: in blocks, without those that are not live. */
async function carried(
  file: Uint8Array,
  schema: StructType,
  isLive: (row: number) => boolean,
  blockRows: number,
): Promise<Uint8Array> {
  const columns = new ColumnSet(schema)
  const reader = await openParquet(memorySource(file))
  for await (const { startRow, rowCount, columns: stored } of reader.storedBatches(schema)) {
    const carriers = stored.map((column) => new ColumnCarrier(column))
    for (let from = 0; from < rowCount; from += blockRows) {
      const count = Math.min(blockRows, rowCount - from)
      const live = Int32Array.from(
        Array.from({ length: count }, (_, i) => i).filter((i) => isLive(startRow + from + i)),
      )
      columns.appendByColumn(live.length, (_, i) => carriers[i]!.carry(count, live, columns.leaves[i]!))
    }
  }
  return fileOf(columns, 11)
}

async function rowsIn(file: Uint8Array, schema: StructType): Promise<readonly (readonly Cell[])[]> {
  const rows: (readonly Cell[])[] = []
  const reader = await openParquet(memorySource(file))
  for await (const { rowCount, columns } of reader.batches(schema)) {
    for (let i = 0; i < rowCount; i++) rows.push(columns.map((column) => column[i]!))
  }
  return rows
}

/** Rows drawn from few distinct ones, so that some columns get a dictionary. */
const tables = structs(leafTypes).chain((schema) =>
  fc
    .array(rowsOf(schema), { minLength: 1, maxLength: 12 })
    .chain((distinct) => fc.array(fc.constantFrom(...distinct), { maxLength: 120 }))
    .map((rows) => ({ schema, rows })),
)

test('rows that are carried over from file to file are what they were, whichever of them are live', async () => {
  await fc.assert(
    fc.asyncProperty(
      tables,
      fc.array(fc.boolean(), { minLength: 120, maxLength: 120 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      async ({ schema, rows }, isLive, blockRows, pageRows) => {
        const file = fileOf(columnsOf(schema, rows), pageRows)
        const copy = await carried(file, schema, (row) => isLive[row]!, blockRows)
        expect(await rowsIn(copy, schema)).toStrictEqual(rows.filter((_, i) => isLive[i]))
      },
    ),
    { numRuns: 80 },
  )
})

test('a column that has become wider, or that a file does not have, is carried as it is read', async () => {
  const before = struct([
    field('id', 'integer'),
    field('price', decimal(9, 2)),
    field('cost', decimal(12, 2)),
    field('day', 'date'),
    field('ratio', 'float'),
  ])
  const after = struct([
    field('id', 'long'),
    field('price', decimal(12, 2)),
    field('cost', decimal(15, 4)),
    field('day', 'timestamp_ntz'),
    field('ratio', 'double'),
    field('added', 'string'),
  ])
  const rows = Array.from({ length: 90 }, (_, i): Cell[] =>
    i % 9 === 0 ? [i, null, null, null, null] : [i, BigInt(-i * 101), BigInt(i) * 10n ** 9n, i - 40, i / 8],
  )
  const file = fileOf(columnsOf(before, rows), 7)
  const copy = await carried(file, after, (row) => row % 3 !== 1, 8)
  const read = await rowsIn(file, after)
  expect(await rowsIn(copy, after)).toStrictEqual(read.filter((_, i) => i % 3 !== 1))
  expect(read[10]).toStrictEqual([10n, -1010n, 10n ** 12n, -30n * 86_400_000_000n, 1.25, null])
})

/** A file of the row groups of others as they lie there. */
async function joined(files: readonly Uint8Array[], schema: StructType): Promise<EncodedParquet | null> {
  const encoder = new ParquetFileEncoder(schema, OPTIONS)
  for (const file of files) {
    for await (const batch of (await openParquet(memorySource(file))).storedBatches(schema)) {
      const group = await batch.whole(OPTIONS)
      if (group === null) return null
      encoder.addWhole(group)
    }
  }
  return encoder.finish()
}

const hasNaN = (rows: readonly (readonly Cell[])[]) => rows.some((row) => row.some(Number.isNaN))

test('row groups that are taken over whole hold the same rows, each where the page index says, with the same bounds', async () => {
  const nonEmpty = tables.filter(({ rows }) => rows.length > 0 && !hasNaN(rows))
  await fc.assert(
    fc.asyncProperty(nonEmpty, fc.integer({ min: 1, max: 50 }), async ({ schema, rows }, pageRows) => {
      const { bytes, statistics, rowCount } = encodeParquet(columnsOf(schema, rows), { ...OPTIONS, pageRows })
      const whole = (await joined([bytes, bytes], schema))!
      expect(await rowsIn(whole.bytes, schema)).toStrictEqual([...rows, ...rows])
      expect(whole.rowCount).toBe(2 * rowCount)
      const twice = mergeLeafStatistics(statistics, statistics)
      const textOf = (leaves: readonly LeafStatistics[]) => encodeStatistics(2 * rowCount, leaves, -1)
      expect(textOf(whole.statistics)).toBe(textOf(twice))
      const reader = await openParquet(memorySource(whole.bytes))
      expect(await reader.rows(schema, [2 * rowCount - 1])).toStrictEqual([rows.at(-1)])
      // And once more: what was taken over can be taken over.
      expect((await joined([whole.bytes], schema))!.bytes).toStrictEqual(whole.bytes)
    }),
    { numRuns: 40 },
  )
})

test('bounds of long texts stay wide, and are not said to be exact', async () => {
  const schema = struct([field('text', 'string')])
  const file = encodeParquet(columnsOf(schema, [['a'.repeat(100)], ['b'.repeat(100)]]), OPTIONS)
  const whole = (await joined([file.bytes], schema))!
  const bounds = { min_value: 'a'.repeat(64), max_value: `${'b'.repeat(63)}c` }
  const [column] = parquetMetadata(whole.bytes).row_groups[0]!.columns
  const isExact = { is_min_value_exact: false, is_max_value_exact: false }
  expect(column!.meta_data!.statistics).toMatchObject({ ...bounds, ...isExact })
  expect(encodeStatistics(2, whole.statistics, -1)).toBe(encodeStatistics(2, file.statistics, -1))
})

test('a row group is not taken over whole where we would write it in another way', async () => {
  const schema = struct([field('id', 'integer'), field('ratio', 'double')])
  const rows = Array.from({ length: 50 }, (_, i): Cell[] => [i, i / 8])
  const columns = columnsOf(schema, rows)
  expect(await joined([fileOf(columns, 7)], schema)).not.toBeNull()
  expect(
    await joined([fileOf(columns, 7)], struct([field('id', 'long'), field('ratio', 'double')])),
  ).toBeNull()
  expect(await joined([fileOf(columns, 7)], struct([...schema.fields, field('added', 'string')]))).toBeNull()
  expect(await joined([encodeParquet(columns, { ...OPTIONS, createdBy: 'x' }).bytes], schema)).toBeNull()
  expect(await joined([encodeParquet(columns, { ...OPTIONS, pageIndex: false }).bytes], schema)).toBeNull()
  expect(
    await joined([encodeParquet(columns, { ...OPTIONS, codec: 'uncompressed' }).bytes], schema),
  ).toBeNull()
  const withNaN = columnsOf(schema, [...rows, [50, Number.NaN]])
  expect(await joined([fileOf(withNaN, 7)], schema)).toBeNull()
})
