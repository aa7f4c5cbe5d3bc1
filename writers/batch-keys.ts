import type { RowKey } from '../schemas/change-event.ts'
import { HashTable } from './locator/hash-table.ts'
import { HASH_WORDS, type KeyHasher } from './locator/key-encoding.ts'

/** Numbers the distinct keys (or rows) of one batch from 0 and holds their hashes. */
export class BatchKeys {
  readonly #hasher: KeyHasher
  readonly #numbers = new HashTable()
  #words = new Uint32Array(HASH_WORDS * 256)
  #count = 0

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
  numberOf(key: RowKey): number {
    return this.number((words, at) => {
      this.#hasher.hashKey(
        key.columns.map((column) => column.type),
        key.values,
        words,
        at,
      )
    })
  }

  /** As `numberOf`, for a hash that the caller computes into the place it is given. */
  number(hashInto: (words: Uint32Array, at: number) => void): number {
    const at = this.#count * HASH_WORDS
    if (at + HASH_WORDS > this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2)
      grown.set(this.#words)
      this.#words = grown
    }
    hashInto(this.#words, at)
    const slot = this.#numbers.find(this.#words, at)
    if (slot >= 0) return this.#numbers.file(slot)
    const number = this.#count++
    this.#numbers.put(this.#words, at, { file: number, row: 0 }, 0, 0n, 0n)
    return number
  }
}
