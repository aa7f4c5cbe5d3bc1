import type { ObjectInfo } from '../../core/ports.ts'
import type { SinceCheckpoint } from './checkpoint.ts'
import { parseLogPath } from './log-path.ts'

/** One way to read the state at a version; all paths are needed. */
export interface CheckpointFiles {
  readonly version: number
  readonly format: 'parquet' | 'json'
  readonly paths: readonly string[]
}

/** What a listing of `_delta_log` shows. */
export interface LogListing {
  /** Versions whose entry is there, with its size in bytes. */
  readonly commits: ReadonlyMap<number, number>
  /** Complete checkpoints, newest first; of one version the single file before the others. */
  readonly checkpoints: readonly CheckpointFiles[]
  /** Newest version that an entry or a checkpoint shows; -1 when there is none. */
  readonly newestVersion: number
}

/**
 * Sorts a listing. Empty checkpoint files and multi-part sets that lack a part are left out.
 *
 * @see delta-protocol §1, §4.3, §14 trap 19
 */
export function readListing(objects: readonly ObjectInfo[]): LogListing {
  const commits = new Map<number, number>()
  const checkpoints: (CheckpointFiles & { readonly rank: number })[] = []
  const parts = new Map<string, { version: number; count: number; paths: string[] }>()
  for (const { path, sizeBytes } of objects) {
    const file = parseLogPath(path)
    if (file === undefined) continue
    if (file.kind === 'commit') commits.set(file.version, sizeBytes)
    if (sizeBytes === 0) continue
    if (file.kind === 'checkpoint') {
      checkpoints.push({ version: file.version, format: 'parquet', paths: [path], rank: 0 })
    } else if (file.kind === 'v2-checkpoint') {
      checkpoints.push({ version: file.version, format: file.format, paths: [path], rank: 1 })
    } else if (file.kind === 'multi-part-checkpoint') {
      const key = `${file.version}.${file.parts}`
      const set = parts.get(key) ?? { version: file.version, count: file.parts, paths: [] }
      set.paths.push(path)
      parts.set(key, set)
    }
  }
  for (const { version, count, paths } of parts.values()) {
    if (paths.length === count) checkpoints.push({ version, format: 'parquet', paths, rank: 2 })
  }
  checkpoints.sort((a, b) => b.version - a.version || a.rank - b.rank)
  const newestVersion = Math.max(checkpoints[0]?.version ?? -1, newestOf(commits))
  return { commits, checkpoints, newestVersion }
}

/** What was committed behind a checkpoint, as far as it is listed; entries that were cleaned away count too. */
export function sinceCheckpoint({ commits, newestVersion }: LogListing, checkpoint: number): SinceCheckpoint {
  let jsonBytes = 0
  for (const [version, sizeBytes] of commits) if (version > checkpoint) jsonBytes += sizeBytes
  return { commits: newestVersion - checkpoint, jsonBytes }
}

/** Versions in `[from, to]` whose entry is missing. */
export function missingCommits(listing: LogListing, from: number, to: number): number[] {
  const missing: number[] = []
  for (let version = from; version <= to; version++) if (!listing.commits.has(version)) missing.push(version)
  return missing
}

function newestOf(commits: ReadonlyMap<number, number>): number {
  let newest = -1
  for (const version of commits.keys()) if (version > newest) newest = version
  return newest
}
