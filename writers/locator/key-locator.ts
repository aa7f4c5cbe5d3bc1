import { comparePositions, type Position } from '../../schemas/position.ts'
import type { Pace } from '../pace.ts'
import { DELETED, ENTRY_WORDS, FILE, PARTS, POSITION, partOf, ROW, setHash } from './entry.ts'
import { mergeEntries, TableCursor } from './entry-cursor.ts'
import { EntryPile } from './entry-pile.ts'
import { EntryTable } from './entry-table.ts'
import { FileOrdinals } from './file-ordinals.ts'
import type { Place } from './hash-table.ts'
import { HASH_WORDS } from './key-encoding.ts'
import type { LocatorMemory, MemoryUser } from './locator-memory.ts'
import { PositionCodes } from './position-codes.ts'
import type { RunShelf } from './run-shelf.ts'

/** What the locator knows of a live row. `position` is null for a snapshot row that no streamed event has touched. */
export interface StoredKey {
  readonly place: Place
  readonly position: Position | null
}

/** Where a locator puts what does not fit into memory. */
export interface LocatorDisk {
  readonly shelf: RunShelf
  readonly memory: LocatorMemory
}

/** What a locator begins with: nothing, or what an earlier process has left. */
export interface LocatorParts {
  readonly files?: FileOrdinals
  readonly positions?: PositionCodes
  /** Entries in memory. */
  readonly entries?: EntryTable
  /** `null`: everything is held in memory. */
  readonly disk?: LocatorDisk | null
}

/**
 * Key → live row of one table (design §3.2). A cache: it is right for the version that it was last moved to, and can
 * be rebuilt from the key columns of the live files at any time.
 *
 * Entries are put into a table in memory. When there are too many, the table becomes a run on disk, sorted as it lies, and
 * another one begins; the newest entry of a key counts (`LocatorKeeper` does all that beside the batches).
 */
export class KeyLocator implements MemoryUser {
  readonly files: FileOrdinals
  readonly positions: PositionCodes
  readonly disk: LocatorDisk | null
  /** Entries read from the table, newer than all others. Nothing is looked up before they are taken in (`takeIn`). */
  readonly pile = new EntryPile()
  #entries: EntryTable
  /** On its way to disk; not changed any more. */
  #frozen: EntryTable | null = null
  readonly #entry = new Uint32Array(ENTRY_WORDS)

  constructor({ files, positions, entries, disk }: LocatorParts = {}) {
    this.files = files ?? new FileOrdinals()
    this.positions = positions ?? new PositionCodes()
    this.disk = disk ?? null
    this.#entries = entries ?? new EntryTable()
    this.disk?.memory.add(this)
  }

  get sizeBytes(): number {
    let bytes = this.changeableBytes + (this.#frozen?.sizeBytes ?? 0) + 4 * this.files.redirectedRows
    for (const run of this.disk?.shelf.runs ?? []) bytes += run.heldBytes + run.indexBytes
    return bytes
  }

  get changeableBytes(): number {
    return this.#entries.sizeBytes + this.pile.sizeBytes
  }

  /** Entries, older ones of a key counted too. */
  get entryCount(): number {
    const runs = this.disk?.shelf.runs ?? []
    const inMemory = this.#entries.size + (this.#frozen?.size ?? 0)
    return runs.reduce((sum, { entryCount }) => sum + entryCount, inMemory)
  }

  /**
   * Looks keys up.
   *
   * @param words hashes, four words each
   * @returns by number of the key
   * @throws EngineError (retry) when what is on disk is not as it was written: the locator must be made anew
   */
  async findAll(words: Uint32Array, count: number): Promise<readonly (StoredKey | null)[]> {
    const found = new Array<StoredKey | null>(count).fill(null)
    let missing: number[] = []
    for (const key of inOrder(words, count)) {
      const at = key * HASH_WORDS
      const isFound = this.#findIn(this.#entries, words, at, key, found)
      if (!isFound && !this.#findIn(this.#frozen, words, at, key, found)) missing.push(key)
    }
    await this.disk?.shelf.reading(async (runs) => {
      for (const run of runs) {
        if (missing.length === 0) return
        const isFound = new Uint8Array(count)
        await run.find(words, missing, (key, entry, at) => {
          isFound[key] = 1
          found[key] = this.#stored(entry, at)
        })
        missing = missing.filter((key) => isFound[key] === 0)
      }
    })
    return found
  }

  put(words: Uint32Array, at: number, { file, row }: Place, position: Position | null): void {
    const entry = this.#entry
    setHash(entry, words, at)
    entry[FILE] = file
    entry[ROW] = row
    this.positions.encode(position, entry, POSITION)
    this.#entries.put(partOf(words, at), entry)
  }

  /** Sorts what is piled up, and puts it where it can be looked up. */
  async takeIn(pace: Pace): Promise<void> {
    for (let part = 0; part < PARTS; part++) {
      this.#entries.putSorted(part, this.pile.sorted(part))
      this.pile.clear(part)
      await pace.step()
    }
  }

  delete(words: Uint32Array, at: number): void {
    if (this.#frozen === null && (this.disk?.shelf.runs.length ?? 0) === 0) {
      this.#entries.delete(words, at)
    } else {
      setHash(this.#entry, words, at)
      this.#entry.fill(DELETED, ROW).fill(0, FILE, ROW)
      this.#entries.put(partOf(words, at), this.#entry)
    }
  }

  /**
   * What a TRUNCATE at `floor` empties: rows whose position is below it, or that have none.
   *
   * @param take called with the place of each
   * @returns what makes the locator forget them; nothing else may change it in between
   */
  async below(floor: Position, take: (place: Place) => void): Promise<() => void> {
    const kept = new EntryTable()
    const tables = [this.#entries, this.#frozen].filter((table) => table !== null)
    const sort = async (runs: RunShelf['runs']): Promise<void> => {
      const cursors = [...tables.map((table) => new TableCursor(table)), ...runs.map((run) => run.cursor())]
      await mergeEntries(cursors, (part, words, at) => {
        const stored = this.#stored(words, at)
        if (stored === null) return undefined
        const isBelow = stored.position === null || comparePositions(stored.position, floor) < 0
        if (isBelow) {
          take(stored.place)
          return undefined
        }
        const entry = words.slice(at, at + ENTRY_WORDS)
        // Redirects may end before it is where they would be written into it.
        settleEntry(entry, 0, this.files)
        kept.put(part, entry)
        return undefined
      })
    }
    await (this.disk === null ? sort([]) : this.disk.shelf.reading(sort))
    return () => {
      this.#entries = kept
      this.#frozen = null
      this.disk?.shelf.replace([])
    }
  }

  /** Writes into the entries in memory where their rows stand now (`FileOrdinals.redirect`). */
  async settle(pace: Pace): Promise<void> {
    for (const { part } of this.#entries.parts()) {
      for (let at = part.entryFrom(0); at >= 0; at = part.entryFrom(at + ENTRY_WORDS))
        settleEntry(part.words, at, this.files)
      await pace.step()
    }
  }

  /** From now on entries are put into an empty table. @returns those that were there, not to be changed any more */
  freeze(): EntryTable {
    this.#frozen = this.#entries
    this.#entries = new EntryTable()
    return this.#frozen
  }

  /** @returns false: a truncate emptied it meanwhile */
  isFrozen(entries: EntryTable): boolean {
    return this.#frozen === entries
  }

  /** What was frozen is in a run. */
  unfreeze(): void {
    this.#frozen = null
  }

  /** What was frozen did not become a run: it is changed again. */
  thaw(): void {
    const newer = this.#entries
    this.#entries = this.#frozen!
    this.#frozen = null
    for (const { index, part } of newer.parts()) {
      for (let at = part.entryFrom(0); at >= 0; at = part.entryFrom(at + ENTRY_WORDS))
        this.#entries.put(index, part.words.subarray(at, at + ENTRY_WORDS))
    }
  }

  #findIn(
    table: EntryTable | null,
    words: Uint32Array,
    at: number,
    key: number,
    found: (StoredKey | null)[],
  ): boolean {
    const part = table?.part(words, at)
    if (part === undefined) return false
    const entry = part.find(words, at + 1)
    if (entry >= 0) found[key] = this.#stored(part.words, entry)
    return entry >= 0
  }

  #stored(words: Uint32Array, at: number): StoredKey | null {
    const row = words[at + ROW]!
    const place = row === DELETED ? null : this.files.current({ file: words[at + FILE]!, row })
    return place === null ? null : { place, position: this.positions.decode(words, at + POSITION) }
  }
}

/** Brings an entry up to date. One whose row is nowhere any more hides older entries of its key, as a deleted one does. */
export function settleEntry(words: Uint32Array, at: number, files: FileOrdinals): void {
  if (words[at + ROW] === DELETED || files.isInPlace(words[at + FILE]!, words[at + ROW]!)) return
  const place = files.follow({ file: words[at + FILE]!, row: words[at + ROW]! })
  words[at + FILE] = place?.file ?? 0
  words[at + ROW] = place === null || place.row < 0 ? DELETED : place.row
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
