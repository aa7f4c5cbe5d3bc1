import { PARTS } from './entry.ts'

/** With eight bits set of 256, about 5 of 1,000 keys that are not in a run are looked for in vain. */
const BITS_PER_KEY = 12
const BLOCK_WORDS = 8
const BLOCK_BITS = 32 * BLOCK_WORDS

/** Odd numbers, as Parquet's split-block filter has them: one bit in each word of a block. */
const SALTS = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
)

/**
 * Tells of most keys that they are not in a run, without reading it: a split-block Bloom filter, 1.5 bytes a key. Its
 * blocks lie in the order of the hashes, as entries do: who goes through keys in order goes through it from front to end.
 */
export class RunFilter {
  readonly words: Uint32Array
  readonly #blocks: number

  constructor(words: Uint32Array) {
    this.words = words
    this.#blocks = words.length / BLOCK_WORDS
  }

  /** @param count keys at the most */
  static for(count: number): RunFilter {
    const blocks = Math.max(1, Math.ceil((count * BITS_PER_KEY) / BLOCK_BITS))
    return new RunFilter(new Uint32Array(blocks * BLOCK_WORDS))
  }

  /** @param hash its last three words at `hash[at .. at + 3)` */
  add(part: number, hash: Uint32Array, at: number): void {
    const from = this.#blockOf(part, hash[at]!)
    const bits = hash[at + 2]!
    for (let i = 0; i < BLOCK_WORDS; i++) this.words[from + i]! |= 1 << (Math.imul(bits, SALTS[i]!) >>> 27)
  }

  /** `false`: the key is not there. */
  has(part: number, hash: Uint32Array, at: number): boolean {
    const from = this.#blockOf(part, hash[at]!)
    const bits = hash[at + 2]!
    for (let i = 0; i < BLOCK_WORDS; i++) {
      if ((this.words[from + i]! & (1 << (Math.imul(bits, SALTS[i]!) >>> 27))) === 0) return false
    }
    return true
  }

  #blockOf(part: number, first: number): number {
    return Math.floor(((part + first / 2 ** 32) / PARTS) * this.#blocks) * BLOCK_WORDS
  }
}
