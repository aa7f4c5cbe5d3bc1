import { bitWidthOf } from './rle-bit-packed.ts'
import type { ValueStore } from './value-store.ts'

/** The distinct values of one column chunk and, for each of its values, which of them it is. */
export interface Dictionary {
  /** Indexes in the value store of the first occurrence of each distinct value. */
  readonly entries: Int32Array
  /** For each value of the chunk, its place in `entries`. */
  readonly codes: Int32Array
  readonly bitWidth: number
}

/** A dictionary is read whole for every point read, so it stays small. */
const MAX_ENTRIES = 1 << 14
const MAX_BYTES = 1 << 20
const MIN_VALUES = 32
const SAMPLE_SIZE = 2048
/** More distinct values in the sample than this share: the column is not worth a full pass. */
const MAX_SAMPLE_SHARE = 0.75

/** @returns `null` when values `[start, end)` take no less room with a dictionary than without */
export function buildDictionary(values: ValueStore, start: number, end: number): Dictionary | null {
  const count = end - start
  if (count < MIN_VALUES) return null
  const stride = Math.max(1, Math.floor(count / SAMPLE_SIZE))
  const sampled = Math.floor(count / stride)
  const sample = collectDistinct(values, start, sampled, stride, Math.floor(sampled * MAX_SAMPLE_SHARE))
  if (sample === null) return null
  const full = stride === 1 ? sample : collectDistinct(values, start, count, 1, MAX_ENTRIES)
  if (full === null) return null
  let dictionaryBytes = 0
  for (const entry of full.entries) dictionaryBytes += values.plainSizeBytes(entry, entry + 1)
  const bitWidth = bitWidthOf(full.entries.length - 1)
  const codesBytes = (count * bitWidth) / 8
  const shrinks = dictionaryBytes + codesBytes < values.plainSizeBytes(start, end)
  return shrinks && dictionaryBytes <= MAX_BYTES ? { ...full, bitWidth } : null
}

/** Gives each distinct value a code, by an open-addressing table. @returns `null` above `maxEntries` */
function collectDistinct(
  values: ValueStore,
  start: number,
  count: number,
  stride: number,
  maxEntries: number,
): Omit<Dictionary, 'bitWidth'> | null {
  const slotCount = 2 ** bitWidthOf(Math.min(count, maxEntries) * 2)
  const slots = new Int32Array(slotCount).fill(-1)
  const entries = new Int32Array(Math.min(count, maxEntries))
  const codes = new Int32Array(count)
  let entryCount = 0
  for (let i = 0; i < count; i++) {
    const index = start + i * stride
    if (i > 0 && values.isSame(index - stride, index)) {
      codes[i] = codes[i - 1]!
      continue
    }
    let slot = values.hash(index) & (slotCount - 1)
    while (slots[slot] !== -1 && !values.isSame(entries[slots[slot]!]!, index))
      slot = (slot + 1) & (slotCount - 1)
    if (slots[slot] === -1) {
      if (entryCount === entries.length) return null
      slots[slot] = entryCount
      entries[entryCount++] = index
    }
    codes[i] = slots[slot]!
  }
  return { entries: entries.slice(0, entryCount), codes }
}
