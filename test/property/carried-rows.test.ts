import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cell, decimal, field, type StructType, struct } from '../../schemas/delta-types.ts'
import { ColumnCarrier } from '../../writers/parquet/carry-column.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import { encodeParquet } from '../../writers/parquet/encode-parquet.ts'
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
