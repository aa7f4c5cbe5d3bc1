import type { Column, RowKey } from '../schemas/change-event.ts'
import type { DeltaType } from '../schemas/delta-types.ts'
import { HASH_WORDS, type KeyHasher } from './locator/key-encoding.ts'

const FIRST_CAPACITY = 256
const FREE = -1

/** Numbers the distinct keys (or rows) of one batch from 0 and holds their hashes. */
export class BatchKeys {
  readonly #hasher: KeyHasher
  #words = new Uint32Array(HASH_WORDS * FIRST_CAPACITY)
  /** Open addressing, at most half full: the number of the key that hashes to a slot, or to one before it. */
  #slots = new Int32Array(2 * FIRST_CAPACITY).fill(FREE)
  #count = 0
  /** The keys of a topic share their columns. */
  #columns: readonly Column[] = []
  #types: readonly DeltaType[] = []

  constructor(hasher: KeyHasher) {
    this.#hasher = hasher
  }

  get count(): number {
    return this.#count
  }

  /** Hashes, four words each, by number. Holds until the next key is added. */
  get words(): Uint32Array {
    return this.#words
  }

  /** Where the hash of a key starts in `words`. */
  at(number: number): number {
    return number * HASH_WORDS
  }

  /** The key's number; a new one for a key not seen in this batch. */
  numberOf({ columns, values }: RowKey): number {
    if (columns !== this.#columns) {
      this.#columns = columns
      this.#types = columns.map((column) => column.type)
    }
    // First, since it may put another array in the place of the words.
    const at = this.#next()
    this.#hasher.hashKey(this.#types, values, this.#words, at)
    return this.#number()
  }

  /** As `numberOf`, for a hash that the caller computes into the place it is given. */
  number(hashInto: (words: Uint32Array, at: number) => void): number {
    const at = this.#next()
    hashInto(this.#words, at)
    return this.#number()
  }

  /** Where the hash goes that comes next. */
  #next(): number {
    const at = this.#count * HASH_WORDS
    if (at === this.#words.length) this.#grow()
    return at
  }

  /** The number of the hash that was put last. */
  #number(): number {
    const slot = this.#slotOf(this.#count)
    if (this.#slots[slot] === FREE) this.#slots[slot] = this.#count++
    return this.#slots[slot]!
  }

  /** The slot that holds a hash equal to the `number`th, or the free one where it would go. */
  #slotOf(number: number): number {
    const slots = this.#slots
    const words = this.#words
    const mask = slots.length - 1
    const at = number * HASH_WORDS
    let slot = words[at]! & mask
    for (; slots[slot] !== FREE; slot = (slot + 1) & mask) {
      const other = slots[slot]! * HASH_WORDS
      if (
        words[other] === words[at] &&
        words[other + 1] === words[at + 1] &&
        words[other + 2] === words[at + 2] &&
        words[other + 3] === words[at + 3]
      )
        break
    }
    return slot
  }

  #grow(): void {
    const words = new Uint32Array(this.#words.length * 2)
    words.set(this.#words)
    this.#words = words
    this.#slots = new Int32Array(this.#slots.length * 2).fill(FREE)
    for (let number = 0; number < this.#count; number++) this.#slots[this.#slotOf(number)] = number
  }
}
