import { HASH_WORDS } from './key-encoding.ts'

/**
 * One entry of a locator, in memory and on disk the same: seven 32-bit words, 28 bytes. Three words of the key's hash,
 * by which entries are sorted; file and row; two words of a position (`PositionCodes`).
 *
 * Of the hash's first word only the part is kept, which chooses where an entry lies: 102 of its 128 bits tell keys apart.
 * Two of a billion keys are taken for one with a chance of 1 in 10^13.
 */
export const ENTRY_WORDS = 7
export const ENTRY_BYTES = 4 * ENTRY_WORDS

export const FILE = 3
export const ROW = 4
export const POSITION = 5

/** Entries lie in so many parts, by the first bits of their hash. */
export const PARTS = 64
const PART_SHIFT = 26

/** As a file: there is no entry here. */
export const FREE = 0xffff_ffff

/** As a row: the key was deleted. Such an entry hides an older one of its key. */
export const DELETED = 0xffff_ffff

export function partOf(words: Uint32Array, at: number): number {
  return words[at]! >>> PART_SHIFT
}

/** Begins an entry with the hash at `words[at .. at + 4)`. */
export function setHash(entry: Uint32Array, words: Uint32Array, at: number): void {
  for (let i = 1; i < HASH_WORDS; i++) entry[i - 1] = words[at + i]!
}

/** Order of the hashes of two entries, or of an entry and a hash that begins at its second word. */
export function compareHashes(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): number {
  for (let i = 0; i < HASH_WORDS - 1; i++) {
    const x = a[aAt + i]!
    const y = b[bAt + i]!
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}
