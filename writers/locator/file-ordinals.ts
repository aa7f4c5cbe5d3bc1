import { assert } from '../../core/assert.ts'
import type { RowSet } from '../delta/row-set.ts'
import type { Place } from './hash-table.ts'

/** Redirects of fewer rows than this are not worth a walk over all entries. */
const REDIRECTED_ROWS_MIN = 64
/** A walk is due when so many of the entries may have moved: then it costs each moved row little. */
const REDIRECTED_SHARE = 1 / 4

/** Whether it is time to write into the entries where their rows stand now. */
export function isSettlingDue(redirectedRows: number, entryCount: number): boolean {
  return redirectedRows >= Math.max(REDIRECTED_ROWS_MIN, entryCount * REDIRECTED_SHARE)
}

/** Where the rows of a file that was written anew stand now. */
interface Redirect {
  readonly to: number
  /** By row of the old file: row of the new one, -1 for a row that was deleted before. */
  readonly rows: Int32Array
}

/**
 * Numbers for the paths of data files, so that an entry of a locator holds four bytes instead of a path. A number is
 * never given out twice. Knows also what became of rows since entries were written: they stand in another file now, or
 * a stranger deleted them.
 */
export class FileOrdinals {
  readonly #paths = new Map<number, string>()
  readonly #ordinals = new Map<string, number>()
  readonly #redirects = new Map<number, Redirect>()
  readonly #deleted = new Map<number, RowSet>()
  #next: number
  #redirectedRows = 0

  /** @param files of an earlier process @param next number that it has not given out */
  constructor(files: Iterable<readonly [ordinal: number, path: string]> = [], next = 0) {
    for (const [ordinal, path] of files) {
      this.#paths.set(ordinal, path)
      this.#ordinals.set(path, ordinal)
    }
    this.#next = next
  }

  /** The next number to be given out. */
  get next(): number {
    return this.#next
  }

  /** Rows of files for which there is a redirect: four bytes each. */
  get redirectedRows(): number {
    return this.#redirectedRows
  }

  /** Files that were redirected. */
  get redirected(): readonly number[] {
    return [...this.#redirects.keys()]
  }

  /** The path's number; a new one when it has none yet. */
  ordinalOf(path: string): number {
    const known = this.#ordinals.get(path)
    if (known !== undefined) return known
    const ordinal = this.#next++
    this.#paths.set(ordinal, path)
    this.#ordinals.set(path, ordinal)
    return ordinal
  }

  pathOf(ordinal: number): string {
    const path = this.findPath(ordinal)
    assert(path !== null, `file ordinal ${ordinal} was never given out`)
    return path
  }

  /** `null`: nobody needed it any more. */
  findPath(ordinal: number): string | null {
    return this.#paths.get(ordinal) ?? null
  }

  /**
   * The rows of a file stand in another one from now on. Every place that a locator tells is the new one at once; when
   * all of its entries tell it themselves, the redirect ends.
   */
  redirect(from: number, to: number, rows: Int32Array): void {
    this.#redirects.set(from, { to, rows })
    this.#redirectedRows += rows.length
  }

  endRedirects(files: Iterable<number>): void {
    for (const from of files) {
      this.#redirectedRows -= this.#redirects.get(from)?.rows.length ?? 0
      this.#redirects.delete(from)
    }
  }

  /** Whether live rows of the file are told by entries that do not name it. */
  isTarget(ordinal: number): boolean {
    for (const { to } of this.#redirects.values()) if (to === ordinal) return true
    return false
  }

  /** A stranger deleted rows of a file. @param rows all that are deleted in it */
  setDeleted(path: string, rows: RowSet): void {
    this.#deleted.set(this.ordinalOf(path), rows)
  }

  /** Whether entries may name rows of the file that are deleted: only this process knows them for what they are. */
  hasDeleted(ordinal: number): boolean {
    return this.#deleted.has(ordinal)
  }

  /** A stranger removed a file: its rows are nowhere. The path gets another number, should it come back. */
  forget(path: string): void {
    const ordinal = this.#ordinals.get(path)
    if (ordinal === undefined) return
    this.#ordinals.delete(path)
    this.#paths.delete(ordinal)
    this.#deleted.delete(ordinal)
  }

  /** Whether a row stands where an entry says: in a file that is there, and nothing is known of it. */
  isInPlace(file: number, row: number): boolean {
    if (this.#redirects.size > 0 && this.#redirects.has(file)) return false
    if (this.#deleted.size > 0 && this.#deleted.get(file)?.has(row) === true) return false
    return this.#paths.has(file)
  }

  /** Where the row of a key's newest entry stands now; `null`: nowhere, a stranger deleted it. */
  current(place: Place): Place | null {
    const now = this.follow(place)
    assert(now === null || now.row >= 0, 'a locator knows a row that was deleted before its file was merged')
    return now
  }

  /** As `current`, also of an older entry, whose row may have been deleted before its file was merged. */
  follow(place: Place): Place | null {
    let now = place
    for (;;) {
      if (this.#deleted.size > 0 && this.#deleted.get(now.file)?.has(now.row) === true) return null
      const redirect = this.#redirects.get(now.file)
      if (redirect === undefined) break
      now = { file: redirect.to, row: redirect.rows[now.row] ?? -1 }
      if (now.row < 0) return now
    }
    return this.#paths.has(now.file) ? now : null
  }

  /** Lets go of the paths that nobody asks for any more. */
  retain(isNeeded: (path: string) => boolean): void {
    for (const path of this.#ordinals.keys()) {
      const ordinal = this.#ordinals.get(path)!
      if (!isNeeded(path) && !this.#redirects.has(ordinal)) this.forget(path)
    }
  }
}
