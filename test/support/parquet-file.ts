import type { Cell, StructType } from '../../schemas/delta-types.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import {
  type EncodedParquet,
  encodeParquet,
  type ParquetOptions,
} from '../../writers/parquet/encode-parquet.ts'
import type { ParquetReader } from '../../writers/parquet/read-parquet.ts'

export function encodeRows(
  schema: StructType,
  rows: readonly (readonly Cell[])[],
  options: Partial<ParquetOptions> = {},
): EncodedParquet {
  const columns = new ColumnSet(schema)
  for (const row of rows) columns.append(row)
  return encodeParquet(columns, {
    codec: 'snappy',
    pageRows: 2000,
    rowGroupRows: 100_000,
    pageIndex: true,
    createdBy: 'test',
    ...options,
  })
}

export async function readRows(
  reader: ParquetReader,
  schema: StructType,
  range?: { start: number; end: number },
): Promise<Cell[][]> {
  const rows: Cell[][] = []
  for await (const batch of reader.batches(schema, range)) {
    for (let i = 0; i < batch.rowCount; i++) rows.push(batch.columns.map((column) => column[i]!))
  }
  return rows
}
