import { compareHashes } from './entry.ts'
import type { EntryTable, Part } from './entry-table.ts'

/** Walks over entries in the order of their hashes. */
export interface EntryCursor {
  /** Of the entry it stands at. */
  readonly part: number
  readonly words: Uint32Array
  readonly at: number
  /** @returns false: nothing more is at hand, `load` tells whether there is more at all */
  next(): boolean
  /** Goes to the next entry, wherever it is. @returns false: there is none */
  load(): Promise<boolean>
}

/** Walks over a table that does not change meanwhile. */
export class TableCursor implements EntryCursor {
  readonly #parts: Iterator<{ readonly index: number; readonly part: Part }>
  #entries: Iterator<number> | null = null
  part = 0
  words: Uint32Array = new Uint32Array(0)
  at = 0

  constructor(table: EntryTable) {
    this.#parts = table.parts()
  }

  next(): boolean {
    for (;;) {
      const entry = this.#entries?.next()
      if (entry !== undefined && entry.done !== true) {
        this.at = entry.value
        return true
      }
      const part = this.#parts.next()
      if (part.done === true) return false
      this.part = part.value.index
      this.words = part.value.part.words
      this.#entries = part.value.part.entries()
    }
  }

  async load(): Promise<boolean> {
    return this.next()
  }
}

/**
 * The entries of several cursors as one: of each key the one of the first cursor that has it.
 *
 * @param cursors the newest first
 * @param take @returns a promise to be waited for, or nothing
 */
export async function mergeEntries(
  cursors: readonly EntryCursor[],
  take: (part: number, words: Uint32Array, at: number) => Promise<void> | undefined,
): Promise<void> {
  let open: EntryCursor[] = []
  for (const cursor of cursors) if (await cursor.load()) open.push(cursor)
  while (open.length > 0) {
    let least = open[0]!
    for (let i = 1; i < open.length; i++) if (compareCursors(open[i]!, least) < 0) least = open[i]!
    const waiting = take(least.part, least.words, least.at)
    if (waiting !== undefined) await waiting
    for (const cursor of open) {
      if (cursor === least || compareCursors(cursor, least) !== 0) continue
      if (!cursor.next() && !(await cursor.load())) open = open.filter((other) => other !== cursor)
    }
    if (!least.next() && !(await least.load())) open = open.filter((other) => other !== least)
  }
}

function compareCursors(a: EntryCursor, b: EntryCursor): number {
  return a.part === b.part ? compareHashes(a.words, a.at, b.words, b.at) : a.part - b.part
}
