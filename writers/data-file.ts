import type { ParquetOptions } from './parquet/encode-parquet.ts'

/** How we write data files: small pages, since rows are read one by one for unchanged TOAST and change feeds. */
export const DATA_FILE: ParquetOptions = {
  codec: 'snappy',
  pageRows: 2000,
  rowGroupRows: 131_072,
  pageIndex: true,
  createdBy: 'alluvium',
}

/** Where a data file lies under the root of its table: never in a directory of its partition (delta-protocol §1). */
export function dataFilePath(uuid: string): string {
  return `part-00000-${uuid}.c000.snappy.parquet`
}
