import type { ObjectInfo, ObjectStore } from '../../core/ports.ts'
import { readCheckpoint } from './checkpoint-read.ts'
import { readListing } from './log-listing.ts'
import { type LogFile, logPrefix, parseLogPath } from './log-path.ts'
import { writerFeaturesOf } from './protocol.ts'
import type { TableSnapshot } from './snapshot.ts'
import { logRetentionMs } from './table-properties.ts'

const DAY_MS = 86_400_000

/** The oldest files of the log are looked at: a page of a listing. A log of a week may have a million. */
const LOOKED_AT_MAX = 1000

/**
 * Deletes what nobody may still ask for: everything in the log before the newest checkpoint that is older than the
 * retention of the table. That checkpoint is read first, as without it the table would be lost. The oldest go first, so
 * that a crash in between leaves a log without gaps. Of a long log only the oldest part goes at a time.
 *
 * Tables with V2 checkpoints are left alone by `assertWritable`, so there are no sidecars to look after.
 *
 * @param snapshot of a table that we may write
 * @param beforeEntries asked before the entries of these versions go; `false`: they stay
 * @returns how many files were deleted
 * @throws what the store throws
 * @see PROTOCOL.md "Metadata Cleanup"; delta-protocol §4.7, §14 trap 16: the entry of the checkpoint stays
 */
export async function cleanLog(
  store: ObjectStore,
  tablePath: string,
  snapshot: TableSnapshot,
  nowMs: number,
  beforeEntries: (from: number, to: number) => Promise<boolean> = async () => true,
): Promise<number> {
  if (!allowsCleanup(snapshot)) return 0
  const { configuration } = snapshot.metadata
  const objects = await store.list('log.list', logPrefix(tablePath), undefined, LOOKED_AT_MAX)
  const expiredMs = Math.floor((nowMs - logRetentionMs(configuration)) / DAY_MS) * DAY_MS
  const newestExpired = newestExpiredCommit(objects, expiredMs)
  const checkpoint = readListing(objects).checkpoints.find(({ version }) => version <= newestExpired)
  if (checkpoint === undefined) return 0
  const unneeded = unneededBefore(objects, checkpoint.version)
  if (unneeded.length === 0) return 0
  if ((await readCheckpoint(store, tablePath, checkpoint)) === null) return 0
  const versions = commitVersions(unneeded)
  if (versions.length > 0 && !(await beforeEntries(versions[0]!, versions.at(-1)!))) return 0
  for (const path of unneeded) await store.delete('log.clean', path)
  return unneeded.length
}

/** Whether entries and checkpoints may be deleted at all. */
export function allowsCleanup({ metadata, protocol }: TableSnapshot): boolean {
  if (metadata.configuration['delta.enableExpiredLogCleanup'] === 'false') return false
  return !writerFeaturesOf(protocol).includes('checkpointProtection')
}

/** Newest entry that, with all before it, was written by then; -1 when none was. */
function newestExpiredCommit(objects: readonly ObjectInfo[], expiredMs: number): number {
  let newest = -1
  for (const { path, modifiedMs } of objects) {
    const file = parseLogPath(path)
    if (file?.kind !== 'commit') continue
    if (modifiedMs > expiredMs) return newest
    newest = file.version
  }
  return newest
}

/** Paths by ascending version. */
function unneededBefore(objects: readonly ObjectInfo[], checkpoint: number): string[] {
  return objects.filter(({ path }) => isUnneeded(parseLogPath(path), checkpoint)).map(({ path }) => path)
}

function commitVersions(paths: readonly string[]): number[] {
  return paths.flatMap((path) => {
    const file = parseLogPath(path)
    return file?.kind === 'commit' ? [file.version] : []
  })
}

/** A compacted file that starts at the checkpoint sums up an entry whose neighbours are gone. */
function isUnneeded(file: LogFile | undefined, checkpoint: number): boolean {
  if (file === undefined) return false
  return file.kind === 'compacted' ? file.version <= checkpoint : file.version < checkpoint
}
