import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import type { AddCdcFile, AddFile, RemoveFile } from '../delta/actions.ts'
import { deletionVectorPath } from '../delta/deletion-vector.ts'
import { objectPath } from '../delta/file-path.ts'
import { loadCommits } from '../delta/load-snapshot.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { deletedFileRetentionMs } from '../delta/table-properties.ts'
import type { Pace } from '../pace.ts'
import { isTableFile } from './table-file.ts'

/** Files that one round deletes, about: what is left waits for the next. A round follows some hundred commits. */
const FILES_MAX = 1000
/** Deletes under way at once: a round ends within seconds on an object store, and does not crowd out the commits. */
const AT_ONCE = 8
/** Entries held in memory. */
const ENTRIES_AT_ONCE = 16
/** Commits of others that a round looks through; a process that has missed more of them has slept. */
const NEWER_MAX = 64

/** Where files are deleted, and how. */
export interface Expiry {
  readonly store: ObjectStore
  readonly tablePath: string
  readonly nowMs: number
  readonly pace: Pace
  /** Asked again and again: the table may be held, or another's by now. */
  readonly mayDelete: () => boolean
}

/**
 * Deletes the files of removed files that no reader may still ask for: data files and deletion vectors that were removed
 * longer ago than the table's `delta.deletedFileRetentionDuration`, as `table vacuum` does, but without listing the store.
 *
 * A file stays that is live again, or that something names which is live or not expired: a vector file holds the
 * vectors of a whole commit. Deleting what is gone already is no error: a round that was cut off is done anew.
 *
 * @returns by `tombstoneKey`, what may be forgotten: every file of it is gone, or somebody else's business
 * @throws what the store throws
 */
export async function expireTombstones(
  snapshot: TableSnapshot,
  expiry: Expiry,
): Promise<ReadonlyMap<string, RemoveFile>> {
  const oldestMs = expiry.nowMs - deletedFileRetentionMs(snapshot.metadata.configuration)
  const expired = new Map<string, RemoveFile>()
  const files = new UnneededFiles(expiry)
  for (const [key, remove] of snapshot.tombstones) {
    if (files.size >= FILES_MAX) break
    if (!isExpired(remove, oldestMs)) continue
    expired.set(key, remove)
    files.add(remove)
  }
  const isDone = await files.delete(snapshot, (key) => expired.has(key))
  return isDone ? expired : new Map()
}

/**
 * Deletes the files that only log entries name, before these entries are cleaned away: change files, and removed files
 * that the log remembers no longer (`withFewerTombstones`, or a checkpoint of somebody else).
 *
 * @param versions of the entries, ascending, without a gap
 * @returns false: the entries are still needed, since not all files are deleted
 * @throws what the store throws
 */
export async function expireEntries(
  versions: { readonly from: number; readonly to: number },
  snapshot: TableSnapshot,
  expiry: Expiry,
): Promise<boolean> {
  const oldestMs = expiry.nowMs - deletedFileRetentionMs(snapshot.metadata.configuration)
  const files = new UnneededFiles(expiry)
  const { store, tablePath, pace } = expiry
  for (let from = versions.from; from <= versions.to; from += ENTRIES_AT_ONCE) {
    const to = Math.min(from + ENTRIES_AT_ONCE - 1, versions.to)
    for (const { actions } of await loadCommits(store, tablePath, from, to)) {
      for (const action of actions) {
        const isNamed = action.kind === 'cdc' || (action.kind === 'remove' && isExpired(action, oldestMs))
        if (isNamed) files.add(action)
      }
    }
    await pace.step()
  }
  return files.delete(snapshot, () => false)
}

function isExpired({ deletionTimestamp }: RemoveFile, oldestMs: number): boolean {
  return (deletionTimestamp ?? 0) < oldestMs
}

/** What an action names in the store. */
type NamedFile = Pick<AddFile | RemoveFile, 'path' | 'deletionVector'> | Pick<AddCdcFile, 'path'>

/** Files to be deleted, unless somebody needs them. */
class UnneededFiles {
  readonly #expiry: Expiry
  /** From the root of the store. */
  readonly #paths = new Set<string>()

  constructor(expiry: Expiry) {
    this.#expiry = expiry
  }

  get size(): number {
    return this.#paths.size
  }

  add(file: NamedFile): void {
    const { tablePath } = this.#expiry
    const folder = tablePath === '' ? '' : `${tablePath}/`
    for (const path of this.#pathsOf(file)) {
      if (path.startsWith(folder) && isTableFile(path.slice(folder.length))) this.#paths.add(path)
    }
  }

  /**
   * @param isForgotten keys of tombstones that do not count
   * @returns false: the table was taken away from us meanwhile, and files may be left
   */
  async delete(snapshot: TableSnapshot, isForgotten: (tombstoneKey: string) => boolean): Promise<boolean> {
    const { store, tablePath, pace, mayDelete } = this.#expiry
    if (this.#paths.size === 0) return true
    for (const add of snapshot.files.values()) await this.#spare(add)
    for (const [key, remove] of snapshot.tombstones) if (!isForgotten(key)) await this.#spare(remove)
    // A RESTORE that we have not seen yet may have brought files back.
    const newer = await loadCommits(store, tablePath, snapshot.version + 1, snapshot.version + NEWER_MAX)
    if (newer.length === NEWER_MAX) return false
    for (const { actions } of newer) {
      for (const action of actions) if (action.kind === 'add') await this.#spare(action)
    }
    const paths = [...this.#paths]
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      await pace.step()
      if (!mayDelete()) return false
      await Promise.all(paths.slice(at, at + AT_ONCE).map((path) => store.delete('expired.delete', path)))
    }
    return true
  }

  async #spare(file: NamedFile): Promise<void> {
    for (const path of this.#pathsOf(file)) this.#paths.delete(path)
    await this.#expiry.pace.step()
  }

  /** What lies elsewhere (an absolute path of another store) is nothing of ours. */
  #pathsOf(file: NamedFile): string[] {
    const { store, tablePath } = this.#expiry
    try {
      const vector = 'deletionVector' in file ? file.deletionVector : undefined
      const vectorPath = vector === undefined ? undefined : deletionVectorPath(store, tablePath, vector)
      const path = objectPath(store, tablePath, file.path)
      return vectorPath === undefined ? [path] : [path, vectorPath]
    } catch (error) {
      if (error instanceof EngineError && error.remedy === 'stop-table') return []
      throw error
    }
  }
}
