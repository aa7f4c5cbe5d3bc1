import { assert } from '../../core/assert.ts'
import { type Action, type AddFile, removeOf } from '../delta/actions.ts'
import { deletionVectorFileName, describeVector, encodeDeletionVectorFile } from '../delta/deletion-vector.ts'
import { joinTablePath } from '../delta/log-path.ts'
import { RowSet } from '../delta/row-set.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { widenBounds } from '../delta/statistics.ts'
import { isSet } from '../delta/table-properties.ts'
import type { PreparedCommit } from '../table-log.ts'
import type { MergedSource, MergeWorld, StagedMerge } from './stage-merge.ts'

/**
 * The commit of a merge at a version that may be later than the one it read: rows that were deleted in between are
 * carried over into a deletion vector of the new file. A source that is gone has lost all its rows, be they deleted or
 * somewhere else.
 *
 * @returns `null`: the merge is to be given up; no two sources are left to be joined, a source has rows again that were
 * deleted (RESTORE), the columns changed, or the table has no deletion vectors and a row is deleted
 * @see delta-protocol §11.1: `dataChange=false`, no change files, sources with their vectors; §12: a compaction
 */
export async function prepareMerge(
  staged: StagedMerge,
  snapshot: TableSnapshot,
  world: MergeWorld,
): Promise<PreparedCommit | null> {
  if (snapshot.metadata.schemaString !== staged.schemaString) return null
  const gone = new RowSet()
  const removed: AddFile[] = []
  for (const source of staged.sources) {
    const live = snapshot.files.get(source.file.path)
    if (live === undefined) {
      for (const row of source.rows) if (row >= 0) gone.add(row)
      continue
    }
    if (!(await carryOver(source, live, world, gone))) return null
    removed.push(live)
  }
  if (removed.length < Math.min(2, staged.sources.length)) return null
  const added = await addedFile(staged, gone, snapshot, world)
  if (added === undefined) return null
  const nowMs = world.clock.nowMs()
  const actions: Action[] = removed.map((file) => removeOf(file, nowMs, false))
  if (added !== null) actions.push(added)
  return {
    operation: 'OPTIMIZE',
    metrics: {
      numRemovedFiles: String(removed.length),
      numRemovedBytes: String(removed.reduce((sum, { size }) => sum + size, 0)),
      numAddedFiles: String(added === null ? 0 : 1),
      numAddedBytes: String(added?.size ?? 0),
    },
    actions,
    ours: { kind: 'compaction', touched: new Set(removed.map(({ path }) => path)), appIds: new Set() },
  }
}

/**
 * Notes the rows of the merged file that were deleted in a source since it was read.
 *
 * @returns false when a row of the source is live again
 */
async function carryOver(
  { deleted, rows }: MergedSource,
  live: AddFile,
  { reader }: MergeWorld,
  gone: RowSet,
): Promise<boolean> {
  const now = await reader.deletedRows(live)
  let known = 0
  for (const row of now ?? []) {
    if (rows[row]! < 0) known++
    else gone.add(rows[row]!)
  }
  return known === (deleted?.size ?? 0)
}

/** @returns `null`: no row is left · `undefined`: rows are deleted and the table cannot say so */
async function addedFile(
  { added, rowCount }: StagedMerge,
  gone: RowSet,
  { metadata }: TableSnapshot,
  { store, random, tablePath, reader }: MergeWorld,
): Promise<AddFile | null | undefined> {
  if (added === null || gone.size === rowCount) return null
  if (gone.size === 0) return added
  if (!isSet(metadata.configuration, 'delta.enableDeletionVectors')) return undefined
  assert(added.stats !== undefined, 'a merged file has statistics')
  const uuid = random.uuid()
  const { bytes, places } = encodeDeletionVectorFile([gone])
  await store.put('dv.put', joinTablePath(tablePath, deletionVectorFileName(uuid)), bytes)
  const deletionVector = describeVector(uuid, places[0]!)
  reader.rememberDeleted(added.path, deletionVector, gone)
  return { ...added, stats: widenBounds(added.stats), deletionVector }
}
