import type { TableSnapshot } from '../delta/snapshot.ts'
import { numRecordsOf } from '../delta/statistics.ts'

/** What makes a table costly to read, or dear to keep (design P8). */
export interface TableGrowth {
  readonly files: number
  /** Of them, those that are to be merged one day. */
  readonly smallFiles: number
  /** Of the live files. */
  readonly sizeBytes: number
  /** Physical rows, deleted ones among them; files that do not say count as empty. */
  readonly storedRows: number
  readonly deletedRows: number
  readonly vectorBytes: number
  /** Removed files that the log remembers. */
  readonly tombstones: number
}

/** An eighth of what merging aims at: a file below it is joined to others sooner or later. */
const SMALL_FILE_BYTES = 16 * 1024 * 1024

export function tableGrowth({ files, tombstones }: TableSnapshot): TableGrowth {
  const sum = { smallFiles: 0, sizeBytes: 0, storedRows: 0, deletedRows: 0, vectorBytes: 0 }
  for (const { size, stats, deletionVector } of files.values()) {
    if (size < SMALL_FILE_BYTES) sum.smallFiles++
    sum.sizeBytes += size
    sum.storedRows += numRecordsOf(stats) ?? 0
    sum.deletedRows += deletionVector?.cardinality ?? 0
    sum.vectorBytes += deletionVector?.sizeInBytes ?? 0
  }
  return { ...sum, files: files.size, tombstones: tombstones.size }
}
