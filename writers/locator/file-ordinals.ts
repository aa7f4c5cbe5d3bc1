import { assert } from '../../core/assert.ts'
import type { Place } from './hash-table.ts'

/** Where the rows of a file that was merged stand now. */
interface Redirect {
  readonly to: number
  /** By row of the old file: row of the new one, -1 for a row that was deleted before. */
  readonly rows: Int32Array
}

/**
 * Numbers for the paths of data files, so that an entry of a locator holds four bytes instead of a path. A number is
 * never given out twice.
 */
export class FileOrdinals {
  readonly #paths = new Map<number, string>()
  readonly #ordinals = new Map<string, number>()
  readonly #redirects = new Map<number, Redirect>()
  #next = 0
  #redirected = 0

  /** How often rows have come to stand elsewhere. */
  get redirected(): number {
    return this.#redirected
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
   * The rows of a file stand in another one from now on. Every place that a locator tells is the new one at once;
   * its entries are moved one by one (`settle`), and then the redirect ends.
   */
  redirect(from: number, to: number, rows: Int32Array): void {
    this.#redirects.set(from, { to, rows })
    this.#redirected++
  }

  endRedirect(from: number): void {
    this.#redirects.delete(from)
  }

  /** Where the row of an entry stands now. */
  current(place: Place): Place {
    let now = place
    for (let redirect = this.#redirects.get(now.file); redirect !== undefined; ) {
      now = { file: redirect.to, row: redirect.rows[now.row]! }
      assert(now.row >= 0, 'a locator knows a row that was deleted before its file was merged')
      redirect = this.#redirects.get(now.file)
    }
    return now
  }

  /** Lets go of the paths that nobody asks for any more. */
  retain(isNeeded: (path: string) => boolean): void {
    for (const [path, ordinal] of this.#ordinals) {
      if (isNeeded(path) || this.#redirects.has(ordinal)) continue
      this.#ordinals.delete(path)
      this.#paths.delete(ordinal)
    }
  }
}
