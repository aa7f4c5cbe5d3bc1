import type { TableSnapshot } from '../delta/snapshot.ts'
import { numRecordsOf } from '../delta/statistics.ts'

/** Live rows of a version, from the log alone: physical rows less the deleted ones (delta-protocol §5). */
export function liveRowCount(snapshot: TableSnapshot): number {
  let rows = 0
  for (const file of snapshot.files.values()) {
    rows += (numRecordsOf(file.stats) ?? 0) - (file.deletionVector?.cardinality ?? 0)
  }
  return rows
}
