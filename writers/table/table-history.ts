import type { ObjectStore } from '../../core/ports.ts'
import type { AddFile, CommitInfo } from '../delta/actions.ts'
import { type CommitEntry, loadCommits } from '../delta/load-snapshot.ts'
import { readListing } from '../delta/log-listing.ts'
import { beforeVersion, logPrefix } from '../delta/log-path.ts'
import { numRecordsOf } from '../delta/statistics.ts'

/** What one log entry says of itself. */
export interface HistoryEntry {
  readonly version: number
  /** Milliseconds; `null` when the entry does not say. */
  readonly timestampMs: number | null
  readonly operation: string | null
  /** Rows; `null` when the entry does not say. */
  readonly inserted: number | null
  readonly updated: number | null
  readonly deleted: number | null
  readonly filesAdded: number
  readonly filesRemoved: number
  /** Files that stayed and got another deletion vector. */
  readonly vectorsChanged: number
  readonly engine: string | null
}

/** Names under which writers count rows in `operationMetrics`. */
const METRICS = {
  inserted: ['numTargetRowsInserted', 'numOutputRows', 'num_target_rows_inserted', 'num_added_rows'],
  updated: ['numTargetRowsUpdated', 'numUpdatedRows', 'num_target_rows_updated', 'num_updated_rows'],
  deleted: ['numTargetRowsDeleted', 'numDeletedRows', 'num_target_rows_deleted', 'num_deleted_rows'],
} as const

/**
 * The newest entries of a table's log, the newest first; older ones than the log holds are left out.
 *
 * @param newest version of the table
 */
export async function readHistory(
  store: ObjectStore,
  tablePath: string,
  newest: number,
  limit: number,
): Promise<HistoryEntry[]> {
  const oldest = Math.max(0, newest - limit + 1)
  const objects = await store.list('log.list', logPrefix(tablePath), beforeVersion(tablePath, oldest))
  const { commits } = readListing(objects)
  let first = newest
  while (first > oldest && commits.has(first - 1)) first--
  const entries = commits.has(newest) ? await loadCommits(store, tablePath, first, newest) : []
  return entries.map(historyEntry).reverse()
}

function historyEntry({ version, actions }: CommitEntry): HistoryEntry {
  const info = actions.find((action) => action.kind === 'commitInfo')
  const adds = actions.filter((action) => action.kind === 'add')
  const removed = new Set(actions.flatMap((action) => (action.kind === 'remove' ? [action.path] : [])))
  const again = adds.filter(({ path }) => removed.has(path)).length
  const isAppend = adds.length > 0 && removed.size === 0 && adds.every(({ dataChange }) => dataChange)
  return {
    version,
    timestampMs: info?.timestamp ?? null,
    operation: info?.operation ?? null,
    inserted: metric(info, METRICS.inserted) ?? (isAppend ? rowsOf(adds) : null),
    updated: metric(info, METRICS.updated),
    deleted: metric(info, METRICS.deleted),
    filesAdded: adds.length - again,
    filesRemoved: removed.size - again,
    vectorsChanged: again,
    engine: info?.engineInfo ?? null,
  }
}

function metric(info: CommitInfo | undefined, names: readonly string[]): number | null {
  const name = names.find((each) => info?.operationMetrics?.[each] !== undefined)
  const count = name === undefined ? Number.NaN : Number(info!.operationMetrics![name])
  return Number.isSafeInteger(count) ? count : null
}

/** `null` when a file's statistics do not say. */
function rowsOf(files: readonly AddFile[]): number | null {
  let rows = 0
  for (const { stats } of files) {
    const count = numRecordsOf(stats)
    if (count === undefined) return null
    rows += count
  }
  return rows
}
