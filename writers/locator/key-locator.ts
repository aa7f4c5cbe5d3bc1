import { comparePositions, type Position } from '../../schemas/position.ts'
import { FileOrdinals } from './file-ordinals.ts'
import { HashTable, isSamePlace, type Place } from './hash-table.ts'

const NO_POSITION = -1

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
  readonly #table = new HashTable()

  get size(): number {
    return this.#table.size
  }

  get sizeBytes(): number {
    return this.#table.sizeBytes
  }

  /** @param words hash of the key at `words[at .. at + 4)` */
  find(words: Uint32Array, at: number): StoredKey | null {
    const slot = this.#table.find(words, at)
    return slot < 0 ? null : this.#entry(slot)
  }

  put(words: Uint32Array, at: number, place: Place, position: Position | null): void {
    this.#table.put(
      words,
      at,
      place,
      position?.epoch ?? NO_POSITION,
      position?.seq ?? 0n,
      position?.lsn ?? 0n,
    )
  }

  /** The key's row was rewritten into another file; a newer row of the key stays where it is. */
  move(words: Uint32Array, at: number, from: Place, to: Place): void {
    const slot = this.#table.find(words, at)
    if (slot >= 0 && isSamePlace(this.#place(slot), this.files.current(from))) this.#table.setPlace(slot, to)
  }

  /** Writes into the key's entry where its row stands now (`FileOrdinals.redirect`). */
  settle(words: Uint32Array, at: number): void {
    const slot = this.#table.find(words, at)
    if (slot >= 0) this.#table.setPlace(slot, this.#place(slot))
  }

  delete(words: Uint32Array, at: number): void {
    this.#table.delete(words, at)
  }

  /** Rows whose position is below `floor`, or that have none: what a TRUNCATE at `floor` empties. */
  *below(floor: Position): Generator<{ readonly hash: Uint32Array; readonly stored: StoredKey }> {
    for (const slot of this.#table.slots()) {
      const stored = this.#entry(slot)
      if (stored.position !== null && comparePositions(stored.position, floor) >= 0) continue
      const hash = new Uint32Array(4)
      this.#table.copyHash(slot, hash, 0)
      yield { hash, stored }
    }
  }

  #place(slot: number): Place {
    return this.files.current({ file: this.#table.file(slot), row: this.#table.row(slot) })
  }

  #entry(slot: number): StoredKey {
    const table = this.#table
    const epoch = table.epoch(slot)
    return {
      place: this.#place(slot),
      position: epoch === NO_POSITION ? null : { epoch, seq: table.seq(slot), lsn: table.lsn(slot) },
    }
  }
}
