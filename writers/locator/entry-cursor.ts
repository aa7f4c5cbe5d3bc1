import { compareHashes, ENTRY_WORDS } from './entry.ts'
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
  #entries: Part | null = null
  part = 0
  words: Uint32Array = new Uint32Array(0)
  at = 0

  constructor(table: EntryTable) {
    this.#parts = table.parts()
  }

  next(): boolean {
    for (;;) {
      const at = this.#entries?.entryFrom(this.at + ENTRY_WORDS) ?? -1
      if (at >= 0) {
        this.at = at
        return true
      }
      this.#entries = null
      const part = this.#parts.next()
      if (part.done === true) return false
      this.part = part.value.index
      this.words = part.value.part.words
      this.#entries = part.value.part
      this.at = -ENTRY_WORDS
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
  const open: EntryCursor[] = []
  for (const cursor of cursors) if (await cursor.load()) open.push(cursor)
  while (open.length > 0) {
    let least = open[0]!
    for (let i = 1; i < open.length; i++) if (compareCursors(open[i]!, least) < 0) least = open[i]!
    const waiting = take(least.part, least.words, least.at)
    if (waiting !== undefined) await waiting
    for (let i = open.length - 1; i >= 0; i--) {
      const cursor = open[i]!
      if (cursor === least || compareCursors(cursor, least) !== 0) continue
      if (!cursor.next() && !(await cursor.load())) open.splice(i, 1)
    }
    if (!least.next() && !(await least.load())) open.splice(open.indexOf(least), 1)
  }
}

function compareCursors(a: EntryCursor, b: EntryCursor): number {
  return a.part === b.part ? compareHashes(a.words, a.at, b.words, b.at) : a.part - b.part
}
