import { assert } from '../../core/assert.ts'
import { comparePositions, type Position } from '../../schemas/position.ts'
import type { Pace } from '../pace.ts'
import { FileOrdinals, isSettlingDue } from './file-ordinals.ts'
import { HashTable, type Place } from './hash-table.ts'
import type { StoredKey } from './key-locator.ts'

/** One stored copy of a row; copies of equal rows form a chain. */
interface Copy {
  place: Place
  readonly position: Position | null
  next: Copy | null
}

/**
 * Whole row → its live copies, for tables without a key: equal rows cannot be told apart, so any copy may stand for
 * any other, and a delete takes one of them.
 */
export class BagLocator {
  readonly files = new FileOrdinals()
  /** Hash → index into `#heads`. */
  readonly #table = new HashTable()
  readonly #heads: (Copy | null)[] = []
  readonly #freeHeads: number[] = []
  #size = 0

  /** Rows, copies counted. */
  get size(): number {
    return this.#size
  }

  add(words: Uint32Array, at: number, stored: StoredKey): void {
    this.#size++
    const slot = this.#table.find(words, at)
    if (slot >= 0) {
      const head = this.#table.file(slot)
      this.#heads[head] = { ...stored, next: this.#heads[head]! }
      return
    }
    const head = this.#freeHeads.pop() ?? this.#heads.length
    this.#heads[head] = { ...stored, next: null }
    this.#table.put(words, at, { file: head, row: 0 }, 0, 0n, 0n)
  }

  /** Up to `count` copies, the ones that `remove` with the same count takes out. */
  copies(words: Uint32Array, at: number, count: number): readonly StoredKey[] {
    const found: StoredKey[] = []
    const slot = this.#table.find(words, at)
    if (slot < 0) return found
    for (let copy = this.#heads[this.#table.file(slot)]!; copy !== null && found.length < count; ) {
      found.push({ place: this.#current(copy), position: copy.position })
      copy = copy.next as Copy
    }
    return found
  }

  remove(words: Uint32Array, at: number, count: number): void {
    const slot = this.#table.find(words, at)
    if (slot < 0) return
    const head = this.#table.file(slot)
    for (let left = count; left > 0 && this.#heads[head] !== null; left--) {
      this.#heads[head] = this.#heads[head]!.next
      this.#size--
    }
    if (this.#heads[head] === null) {
      this.#freeHeads.push(head)
      this.#table.delete(words, at)
    }
  }

  /** Writes into the copies where they stand now (`FileOrdinals.redirect`), when that many were moved that it pays. */
  async settleWhenDue(pace: Pace): Promise<void> {
    if (!isSettlingDue(this.files.redirectedRows, this.#size)) return
    const { redirected } = this.files
    for (let head = 0; head < this.#heads.length; head++) {
      for (let copy = this.#heads[head]!; copy !== null; copy = copy.next!) copy.place = this.#current(copy)
      if (head % 1024 === 0) await pace.step()
    }
    this.files.endRedirects(redirected)
  }

  #current({ place }: Copy): Place {
    const now = this.files.current(place)
    assert(now !== null, 'a bag is made anew when a stranger deletes rows')
    return now
  }

  /** Every copy that a TRUNCATE at `floor` empties. */
  *below(floor: Position): Generator<StoredKey> {
    for (const slot of this.#table.slots()) {
      for (let copy = this.#heads[this.#table.file(slot)]!; copy !== null; copy = copy.next!) {
        if (isBelow(copy, floor)) yield { place: this.#current(copy), position: copy.position }
      }
    }
  }

  /** Forgets what `below` told. */
  removeBelow(floor: Position): void {
    for (const slot of [...this.#table.slots()]) {
      const head = this.#table.file(slot)
      const kept: Copy[] = []
      for (let copy = this.#heads[head]!; copy !== null; copy = copy.next!) {
        if (isBelow(copy, floor)) this.#size--
        else kept.push(copy)
      }
      this.#heads[head] = kept.reduceRight<Copy | null>((next, copy) => ({ ...copy, next }), null)
    }
    this.#dropEmpty()
  }

  #dropEmpty(): void {
    const empty: Uint32Array[] = []
    for (const slot of this.#table.slots()) {
      const head = this.#table.file(slot)
      if (this.#heads[head] !== null) continue
      const words = new Uint32Array(4)
      this.#table.copyHash(slot, words, 0)
      empty.push(words)
      this.#freeHeads.push(head)
    }
    for (const words of empty) this.#table.delete(words, 0)
  }
}

function isBelow(stored: StoredKey, floor: Position): boolean {
  return stored.position === null || comparePositions(stored.position, floor) < 0
}
