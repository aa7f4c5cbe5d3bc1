import type { LeafType } from './physical-types.ts'
import type { Bounds, ValueStore } from './value-store.ts'

/** The least and greatest value as Parquet writes them; long texts are cut, which makes a bound wider, never narrower. */
export interface EncodedBounds {
  readonly min: Uint8Array
  readonly max: Uint8Array
  readonly isMinExact: boolean
  readonly isMaxExact: boolean
}

const MAX_BOUND_BYTES = 64

/** Bounds of two neighbouring runs of values taken together. */
export function mergeBounds(
  values: ValueStore,
  a: Bounds | undefined,
  b: Bounds | undefined,
): Bounds | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const hasNaN = a.hasNaN || b.hasNaN
  if (a.minIndex < 0 || b.minIndex < 0) return { ...(a.minIndex < 0 ? b : a), hasNaN }
  return {
    minIndex: values.isLess(b.minIndex, a.minIndex) ? b.minIndex : a.minIndex,
    maxIndex: values.isLess(a.maxIndex, b.maxIndex) ? b.maxIndex : a.maxIndex,
    hasNaN,
  }
}

/** Call it only for bounds without a NaN: beside one, no reader may trust a minimum or maximum. */
export function encodeBounds(values: ValueStore, type: LeafType, bounds: Bounds): EncodedBounds {
  const min = values.boundBytes(bounds.minIndex, 'min')
  const max = values.boundBytes(bounds.maxIndex, 'max')
  if (type !== 'string' && type !== 'binary') return { min, max, isMinExact: true, isMaxExact: true }
  const isText = type === 'string'
  const shortMin = cut(min, isText)
  const shortMax = max.length > MAX_BOUND_BYTES ? roundUp(cut(max, isText), isText) : max
  return {
    min: shortMin,
    max: shortMax ?? max,
    isMinExact: shortMin === min,
    isMaxExact: shortMax === max || shortMax === null,
  }
}

/** A bound may be a view of a page of values, which is to be let go. */
export function copyOfBounds(bounds: EncodedBounds): EncodedBounds {
  return { ...bounds, min: bounds.min.slice(), max: bounds.max.slice() }
}

/** At most 64 bytes of the value, ending between two characters. */
function cut(bytes: Uint8Array, isText: boolean): Uint8Array {
  if (bytes.length <= MAX_BOUND_BYTES) return bytes
  let end = MAX_BOUND_BYTES
  while (isText && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}

/** The shortest value above all that begin with `prefix`. @returns `null` when there is none */
function roundUp(prefix: Uint8Array, isText: boolean): Uint8Array | null {
  return isText ? roundUpText(prefix) : roundUpBytes(prefix)
}

function roundUpBytes(prefix: Uint8Array): Uint8Array | null {
  let last = prefix.length - 1
  while (last >= 0 && prefix[last] === 0xff) last--
  if (last < 0) return null
  const above = prefix.slice(0, last + 1)
  above[last]! += 1
  return above
}

function roundUpText(prefix: Uint8Array): Uint8Array | null {
  const points = Array.from(
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(prefix),
    (char) => char.codePointAt(0)!,
  )
  while (points.length > 0 && points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return null
  // Surrogates are no characters: the one after U+D7FF is U+E000.
  points.push(last === 0xd7ff ? 0xe000 : last + 1)
  return new TextEncoder().encode(String.fromCodePoint(...points))
}
