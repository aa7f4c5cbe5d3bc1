import type { ObjectInfo, ObjectStore } from '../../core/ports.ts'
import type { AddFile, RemoveFile } from '../delta/actions.ts'
import { deletionVectorPath } from '../delta/deletion-vector.ts'
import { objectPath } from '../delta/file-path.ts'
import { loadSnapshot } from '../delta/load-snapshot.ts'
import { cleanLog } from '../delta/log-cleanup.ts'
import { assertWritable } from '../delta/protocol.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { deletedFileRetentionMs } from '../delta/table-properties.ts'
import { isTableFile } from './table-file.ts'
import { tablesInside } from './tables-inside.ts'

/**
 * A file that no log entry names may belong to a commit that is on its way, whatever retention was asked for: it is
 * spared for so long. The longest way that a commit of ours takes is a merge, some minutes.
 */
const UNCOMMITTED_MS = 3_600_000

/** A passed mark has no files; what lies beside its log are requests to the processes of the pipeline, and their signs. */
const PIPELINES = '_alluvium/'

export interface VacuumOptions {
  readonly nowMs: number
  /** How long removed files and change files are kept; default: what the table says. */
  readonly retentionMs?: number
  /** Only tell. */
  readonly dryRun: boolean
}

export interface VacuumReport {
  readonly retentionMs: number
  /** Deleted, or to be deleted, from the root of the store. */
  readonly files: readonly ObjectInfo[]
  /** Old entries and checkpoints of the log. */
  readonly logFiles: number
}

/**
 * Deletes what a table no longer needs: data files and deletion vectors that were removed longer ago than the retention,
 * change files older than it, files that no commit ever named, and the old part of the log.
 *
 * @returns `null`: there is no table
 * @throws EngineError (stop-table) for a table that we may not write; what the store throws
 * @see delta-protocol §11.3: paths are compared decoded; names with `_` or `.` in front are others' but for change files
 */
export async function vacuumTable(
  store: ObjectStore,
  tablePath: string,
  { nowMs, retentionMs: asked, dryRun }: VacuumOptions,
): Promise<VacuumReport | null> {
  // Listed first: whatever is committed after the listing is not in it, or is named by the snapshot.
  const objects = await store.list('vacuum.list', tablePath === '' ? '' : `${tablePath}/`)
  const snapshot = await loadSnapshot(store, tablePath)
  if (snapshot === null) return null
  assertWritable(snapshot.protocol, snapshot.metadata, snapshot.schema, 'append')
  const retentionMs = asked ?? deletedFileRetentionMs(snapshot.metadata.configuration)
  const known = knownFiles(store, tablePath, snapshot)
  const others = tablesInside(objects, tablePath)
  const files = objects.filter((object) => {
    if (tablePath.startsWith(PIPELINES)) return false
    if (others.some((folder) => object.path.startsWith(folder))) return false
    if (!isTableFile(object.path.slice(tablePath === '' ? 0 : tablePath.length + 1))) return false
    const removedMs = known.get(object.path)
    if (removedMs !== undefined) return removedMs < nowMs - retentionMs
    return object.modifiedMs < nowMs - Math.max(retentionMs, UNCOMMITTED_MS)
  })
  if (dryRun) return { retentionMs, files, logFiles: 0 }
  for (const { path } of files) await store.delete('vacuum.delete', path)
  return { retentionMs, files, logFiles: await cleanWholeLog(store, tablePath, snapshot, nowMs) }
}

/** Paths in the store, and since when nobody needs them; live files are needed for ever. */
function knownFiles(store: ObjectStore, tablePath: string, snapshot: TableSnapshot): Map<string, number> {
  const known = new Map<string, number>()
  const note = (file: Pick<AddFile | RemoveFile, 'path' | 'deletionVector'>, removedMs: number) => {
    const { path, deletionVector } = file
    const vector = deletionVector && deletionVectorPath(store, tablePath, deletionVector)
    for (const each of [objectPath(store, tablePath, path), vector]) {
      if (each !== undefined) known.set(each, Math.max(removedMs, known.get(each) ?? 0))
    }
  }
  for (const remove of snapshot.tombstones.values()) note(remove, remove.deletionTimestamp ?? 0)
  for (const add of snapshot.files.values()) note(add, Number.POSITIVE_INFINITY)
  return known
}

async function cleanWholeLog(
  store: ObjectStore,
  tablePath: string,
  snapshot: TableSnapshot,
  nowMs: number,
): Promise<number> {
  let deleted = 0
  for (;;) {
    const files = await cleanLog(store, tablePath, snapshot, nowMs)
    if (files === 0) return deleted
    deleted += files
  }
}
