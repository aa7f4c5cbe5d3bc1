import { compareHashes, ENTRY_WORDS, FILE, FREE } from './entry.ts'

/**
 * A run is a file of blocks of one kilobyte: up to 36 entries in the order of their hashes, and a checksum. Each part
 * begins with a new block.
 */
export const BLOCK_BYTES = 1024
export const BLOCK_WORDS = BLOCK_BYTES / 4
export const BLOCK_ENTRIES = 36
const CHECKSUM = BLOCK_ENTRIES * ENTRY_WORDS

/** Closes a block. @param number of the block in its file: one that lies elsewhere is not taken for it */
export function seal(words: Uint32Array, from: number, number: number): void {
  words[from + CHECKSUM] = checksum(words, from, from + CHECKSUM, number)
}

export function isWhole(words: Uint32Array, from: number, number: number): boolean {
  return words[from + CHECKSUM] === checksum(words, from, from + CHECKSUM, number)
}

/** Of an even number of words, and a number. */
export function checksum(words: Uint32Array, from: number, to: number, number: number): number {
  let low = number | 0
  let high = ~number
  for (let i = from; i < to; i += 2) {
    low = Math.imul(low ^ words[i]!, 0x9e3779b1)
    high = Math.imul(high ^ words[i + 1]!, 0x85ebca6b)
    low ^= low >>> 15
    high ^= high >>> 13
  }
  return (low ^ high) >>> 0
}

/** Where in the block the entry begins whose hash ends with `hash[at .. at + 3)`, or -1. */
export function findInBlock(words: Uint32Array, from: number, hash: Uint32Array, at: number): number {
  let low = 0
  let high = BLOCK_ENTRIES
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = from + middle * ENTRY_WORDS
    const isBefore = words[entry + FILE] !== FREE && compareHashes(words, entry, hash, at) < 0
    if (isBefore) low = middle + 1
    else high = middle
  }
  const entry = from + low * ENTRY_WORDS
  const isThere =
    low < BLOCK_ENTRIES && words[entry + FILE] !== FREE && compareHashes(words, entry, hash, at) === 0
  return isThere ? entry : -1
}
