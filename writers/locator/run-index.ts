import { crc32 } from '../delta/crc32.ts'
import { PARTS } from './entry.ts'
import { RunFilter } from './run-filter.ts'

const MAGIC = 0x616c_7231
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
  const words = new Uint32Array(HEADER_WORDS + firstWords.length + filter.words.length + 1)
  words.set([MAGIC, entryCount, firstWords.length, filter.words.length])
  words.set(partStarts, 4)
  words.set(firstWords, HEADER_WORDS)
  words.set(filter.words, HEADER_WORDS + firstWords.length)
  const bytes = new Uint8Array(words.buffer)
  words[words.length - 1] = crc32(bytes.subarray(0, bytes.length - 4))
  return bytes
}

/** @returns `null` when the bytes are not what was written */
export function decodeRunIndex(bytes: Uint8Array): RunIndex | null {
  if (bytes.length % 4 !== 0 || bytes.length < 4 * (HEADER_WORDS + 1)) return null
  const words = new Uint32Array(bytes.slice().buffer)
  const [magic, entryCount, blocks, filterWords] = words
  const isWhole =
    magic === MAGIC &&
    words.length === HEADER_WORDS + blocks! + filterWords! + 1 &&
    words[words.length - 1] === crc32(bytes.subarray(0, bytes.length - 4))
  if (!isWhole) return null
  return {
    entryCount: entryCount!,
    partStarts: words.subarray(4, HEADER_WORDS),
    firstWords: words.subarray(HEADER_WORDS, HEADER_WORDS + blocks!),
    filter: new RunFilter(words.subarray(HEADER_WORDS + blocks!, words.length - 1)),
  }
}
