import { assert } from '../../core/assert.ts'

/** Numbers for the paths of data files, so that an entry of a locator holds four bytes instead of a path. */
export class FileOrdinals {
  readonly #paths: string[] = []
  readonly #ordinals = new Map<string, number>()

  /** The path's number; a new one when it has none yet. */
  ordinalOf(path: string): number {
    const known = this.#ordinals.get(path)
    if (known !== undefined) return known
    const ordinal = this.#paths.push(path) - 1
    this.#ordinals.set(path, ordinal)
    return ordinal
  }

  pathOf(ordinal: number): string {
    const path = this.#paths[ordinal]
    assert(path !== undefined, `file ordinal ${ordinal} was never given out`)
    return path
  }
}
