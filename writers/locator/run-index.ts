import { PARTS } from './entry.ts'
import { checksum } from './run-blocks.ts'
import { RunFilter } from './run-filter.ts'

const MAGIC = 0x616c_7232
const HEADER_WORDS = 4 + PARTS + 1

/** What of a run is held in memory: the first word of each block, and a filter. About 1.6 bytes an entry. */
export interface RunIndex {
  readonly entryCount: number
  /** By part: its first block; one more than parts. */
  readonly partStarts: Uint32Array
  /** By block: the first word of its first entry. */
  readonly firstWords: Uint32Array
  readonly filter: RunFilter
}

export function encodeRunIndex({ entryCount, partStarts, firstWords, filter }: RunIndex): Uint8Array {
  const length = HEADER_WORDS + firstWords.length + filter.words.length
  const words = new Uint32Array(length + (length % 2) + 1)
  words.set([MAGIC, entryCount, firstWords.length, filter.words.length])
  words.set(partStarts, 4)
  words.set(firstWords, HEADER_WORDS)
  words.set(filter.words, HEADER_WORDS + firstWords.length)
  words[words.length - 1] = checksum(words, 0, words.length - 1, 0)
  return new Uint8Array(words.buffer)
}

/** @returns `null` when the bytes are not what was written */
export function decodeRunIndex(bytes: Uint8Array): RunIndex | null {
  if (bytes.length % 4 !== 0 || bytes.length < 4 * (HEADER_WORDS + 1)) return null
  const words = new Uint32Array(bytes.slice().buffer)
  const [magic, entryCount, blocks, filterWords] = words
  const length = HEADER_WORDS + blocks! + filterWords!
  const isWhole =
    magic === MAGIC &&
    words.length === length + (length % 2) + 1 &&
    words[words.length - 1] === checksum(words, 0, words.length - 1, 0)
  if (!isWhole) return null
  return {
    entryCount: entryCount!,
    partStarts: words.subarray(4, HEADER_WORDS),
    firstWords: words.subarray(HEADER_WORDS, HEADER_WORDS + blocks!),
    filter: new RunFilter(words.subarray(HEADER_WORDS + blocks!, length)),
  }
}
