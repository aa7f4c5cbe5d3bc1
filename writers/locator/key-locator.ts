import { comparePositions, type Position } from '../../schemas/position.ts'
import { ENTRY_WORDS, FILE, PARTS, POSITION, partOf, ROW, setHash } from './entry.ts'
import { EntryTable } from './entry-table.ts'
import { FileOrdinals } from './file-ordinals.ts'
import { isSamePlace, type Place } from './hash-table.ts'
import { HASH_WORDS } from './key-encoding.ts'
import { PositionCodes } from './position-codes.ts'

/** What the locator knows of a live row. `position` is null for a snapshot row that no streamed event has touched. */
export interface StoredKey {
  readonly place: Place
  readonly position: Position | null
}

/**
 * Key → live row of one table (design §3.2). A cache: it is right for the version that it was last moved to, and can
 * be rebuilt from the key columns of the live files at any time.
 */
export class KeyLocator {
  readonly files = new FileOrdinals()
  readonly #positions = new PositionCodes()
  readonly #entries: EntryTable
  readonly #entry = new Uint32Array(ENTRY_WORDS)

  /** @param expected keys that are to come: room for them is made at once */
  constructor(expected = 0) {
    this.#entries = new EntryTable(expected)
  }

  get size(): number {
    return this.#entries.size
  }

  get sizeBytes(): number {
    return this.#entries.sizeBytes
  }

  /** @param words hash of the key at `words[at .. at + 4)` */
  find(words: Uint32Array, at: number): StoredKey | null {
    const part = this.#entries.part(words, at)
    const found = part?.find(words, at + 1) ?? -1
    return found < 0 ? null : this.#stored(part!.words, found)
  }

  /**
   * As `find`, of many keys.
   *
   * @param words hashes, four words each
   * @returns by number of the key
   */
  async findAll(words: Uint32Array, count: number): Promise<readonly (StoredKey | null)[]> {
    const found = new Array<StoredKey | null>(count)
    for (const key of inOrder(words, count)) found[key] = this.find(words, key * HASH_WORDS)
    return found
  }

  put(words: Uint32Array, at: number, { file, row }: Place, position: Position | null): void {
    const entry = this.#entry
    setHash(entry, words, at)
    entry[FILE] = file
    entry[ROW] = row
    this.#positions.encode(position, entry, POSITION)
    this.#entries.put(partOf(words, at), entry)
  }

  /** The key's row was rewritten into another file; a newer row of the key stays where it is. */
  move(words: Uint32Array, at: number, from: Place, to: Place): void {
    const part = this.#entries.part(words, at)
    const found = part?.find(words, at + 1) ?? -1
    if (found < 0 || !isSamePlace(this.#place(part!.words, found), this.files.current(from))) return
    setPlace(part!.words, found, to)
  }

  /** Writes into the key's entry where its row stands now (`FileOrdinals.redirect`). */
  settle(words: Uint32Array, at: number): void {
    const part = this.#entries.part(words, at)
    const found = part?.find(words, at + 1) ?? -1
    if (found >= 0) setPlace(part!.words, found, this.#place(part!.words, found))
  }

  delete(words: Uint32Array, at: number): void {
    this.#entries.delete(words, at)
  }

  /** Rows whose position is below `floor`, or that have none: what a TRUNCATE at `floor` empties. */
  *below(floor: Position): Generator<StoredKey> {
    for (const { part } of this.#entries.parts()) {
      for (const at of part.entries())
        if (this.#isBelow(part.words, at, floor)) yield this.#stored(part.words, at)
    }
  }

  /** Forgets what `below` told. */
  removeBelow(floor: Position): void {
    this.#entries.removeWhere((words, at) => this.#isBelow(words, at, floor))
  }

  #isBelow(words: Uint32Array, at: number, floor: Position): boolean {
    const position = this.#positions.decode(words, at + POSITION)
    return position === null || comparePositions(position, floor) < 0
  }

  #place(words: Uint32Array, at: number): Place {
    return this.files.current({ file: words[at + FILE]!, row: words[at + ROW]! })
  }

  #stored(words: Uint32Array, at: number): StoredKey {
    return { place: this.#place(words, at), position: this.#positions.decode(words, at + POSITION) }
  }
}

/** Numbers of hashes so that those of one part come together, which spares the processor's caches. */
function inOrder(words: Uint32Array, count: number): Uint32Array {
  const ends = new Uint32Array(PARTS + 1)
  for (let i = 0; i < count; i++) ends[partOf(words, i * HASH_WORDS) + 1]!++
  for (let part = 0; part < PARTS; part++) ends[part + 1]! += ends[part]!
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[ends[partOf(words, i * HASH_WORDS)]!++] = i
  return order
}

function setPlace(words: Uint32Array, at: number, { file, row }: Place): void {
  words[at + FILE] = file
  words[at + ROW] = row
}
