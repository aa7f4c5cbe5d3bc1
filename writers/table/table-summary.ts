import type { AddFile } from '../delta/actions.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { numRecordsOf } from '../delta/statistics.ts'
import { isSet } from '../delta/table-properties.ts'
import { readTableProperties } from '../table-properties.ts'

/** What the log alone tells of a table. */
export interface TableSummary {
  /** `schema.table` of the source; of a table that we did not make, its own name, or `null` when it has none. */
  readonly name: string | null
  readonly version: number
  /** Live rows; `null` when a file's statistics do not say. */
  readonly rows: number | null
  readonly files: number
  /** Rows that are in the files and deleted by vectors. */
  readonly deletedRows: number
  /** Of all rows in the files, the share that is deleted: 0 to 1; `null` when it is not known. */
  readonly deletedShare: number | null
  /** Of the live files. */
  readonly sizeBytes: number
  readonly vectorBytes: number
  /** Removed files that the log still remembers. */
  readonly tombstones: number
  /** `null`: we did not make it. */
  readonly mode: 'upsert' | 'keyless' | 'append' | null
  readonly key: readonly string[]
  readonly partitionBy: readonly string[]
  readonly changeFeed: 'full' | 'rows' | 'off'
  /** Columns whose older rows do not hold what the source has. */
  readonly incomplete: readonly string[]
  /** Milliseconds; `null` when the log does not say. */
  readonly lastCommitMs: number | null
}

export function summariseTable(snapshot: TableSnapshot): TableSummary {
  const { metadata, files, tombstones, version, timestampMs } = snapshot
  const own = readTableProperties(metadata.configuration)
  const { physicalRows, deletedRows, sizeBytes, vectorBytes } = sumFiles(files.values())
  return {
    name: metadata.name ?? null,
    version,
    rows: physicalRows === null ? null : physicalRows - deletedRows,
    files: files.size,
    deletedRows,
    deletedShare: physicalRows === null ? null : physicalRows === 0 ? 0 : deletedRows / physicalRows,
    sizeBytes,
    vectorBytes,
    tombstones: tombstones.size,
    mode: own === null ? null : own.mode === 'upsert' && own.key === null ? 'keyless' : own.mode,
    key: own?.key ?? [],
    partitionBy: metadata.partitionColumns,
    changeFeed: changeFeedOf(snapshot),
    incomplete: own?.incomplete ?? [],
    lastCommitMs: timestampMs === 0 ? null : timestampMs,
  }
}

function sumFiles(files: Iterable<AddFile>) {
  const sum = { physicalRows: 0 as number | null, deletedRows: 0, sizeBytes: 0, vectorBytes: 0 }
  for (const { stats, size, deletionVector } of files) {
    const rows = numRecordsOf(stats)
    sum.physicalRows = rows === undefined || sum.physicalRows === null ? null : sum.physicalRows + rows
    sum.sizeBytes += size
    sum.deletedRows += deletionVector?.cardinality ?? 0
    sum.vectorBytes += deletionVector?.sizeInBytes ?? 0
  }
  return sum
}

/** What a commit with updates brings (docs/guide/change-feed.md). Tables of other engines bring change files. */
function changeFeedOf({ metadata }: TableSnapshot): TableSummary['changeFeed'] {
  const { configuration } = metadata
  if (!isSet(configuration, 'delta.enableChangeDataFeed')) return 'off'
  const own = readTableProperties(configuration)
  if (own === null) return 'full'
  if (own.mode === 'append') return 'rows'
  const rewritesFiles = !isSet(configuration, 'delta.enableDeletionVectors')
  if (rewritesFiles || own.key === null) return rewritesFiles ? 'full' : 'rows'
  return own.changeFeed === 'full' || (own.changeFeed === 'auto' && own.fullBefore) ? 'full' : 'rows'
}
