/** Up to 65,536 rows that share their high 16 bits: sorted values while few, one bit a row when many. */
export type Container = ArrayContainer | BitsetContainer

/** Above this an array of 16-bit values would be larger than the bitset; the format decides the form by it. */
export const ARRAY_CARDINALITY_MAX = 4096

export const BITSET_BYTES = 8192

export interface ArrayContainer {
  readonly kind: 'array'
  /** Ascending, no repeats; only the first `count` count. */
  values: Uint16Array
  count: number
}

export interface BitsetContainer {
  readonly kind: 'bitset'
  readonly bits: Uint8Array
  count: number
}

export function emptyContainer(): ArrayContainer {
  return { kind: 'array', values: new Uint16Array(4), count: 0 }
}

/** @returns the container that holds `value` too: itself, or the bitset it grew into */
export function addTo(container: Container, value: number): Container {
  if (container.kind === 'bitset') {
    setBit(container, value)
    return container
  }
  const at =
    container.count > 0 && container.values[container.count - 1]! < value
      ? container.count
      : lowerBound(container, value)
  if (at < container.count && container.values[at] === value) return container
  if (container.count === ARRAY_CARDINALITY_MAX) {
    const grown = toBitset(container)
    setBit(grown, value)
    return grown
  }
  if (container.count === container.values.length) {
    const longer = new Uint16Array(Math.min(container.values.length * 2, ARRAY_CARDINALITY_MAX))
    longer.set(container.values)
    container.values = longer
  }
  container.values.copyWithin(at + 1, at, container.count)
  container.values[at] = value
  container.count += 1
  return container
}

export function contains(container: Container, value: number): boolean {
  if (container.kind === 'bitset') return (container.bits[value >> 3]! & (1 << (value & 7))) !== 0
  const at = lowerBound(container, value)
  return at < container.count && container.values[at] === value
}

/** Values in ascending order. */
export function* valuesOf(container: Container): Generator<number> {
  if (container.kind === 'array') {
    for (let at = 0; at < container.count; at++) yield container.values[at]!
    return
  }
  for (let byte = 0; byte < BITSET_BYTES; byte++) {
    const bits = container.bits[byte]!
    if (bits === 0) continue
    for (let bit = 0; bit < 8; bit++) if (bits & (1 << bit)) yield byte * 8 + bit
  }
}

/** Bytes of memory. */
export function sizeOf(container: Container): number {
  return container.kind === 'array' ? container.values.byteLength : BITSET_BYTES
}

export function copyOf(container: Container): Container {
  return container.kind === 'array'
    ? { kind: 'array', values: container.values.slice(), count: container.count }
    : { kind: 'bitset', bits: container.bits.slice(), count: container.count }
}

/** A new container with the values of both. */
export function unionOf(a: Container, b: Container): Container {
  if (a.kind === 'bitset' && b.kind === 'bitset') {
    const bits = new Uint8Array(BITSET_BYTES)
    for (let at = 0; at < BITSET_BYTES; at++) bits[at] = a.bits[at]! | b.bits[at]!
    return bitsetOf(bits)
  }
  const [large, small] = a.count >= b.count ? [a, b] : [b, a]
  let union = copyOf(large)
  for (const value of valuesOf(small)) union = addTo(union, value)
  return union
}

/** @param bits 8,192 bytes, taken over */
export function bitsetOf(bits: Uint8Array): BitsetContainer {
  let count = 0
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count += 1
  return { kind: 'bitset', bits, count }
}

function toBitset(container: ArrayContainer): BitsetContainer {
  const bitset: BitsetContainer = { kind: 'bitset', bits: new Uint8Array(BITSET_BYTES), count: 0 }
  for (let at = 0; at < container.count; at++) setBit(bitset, container.values[at]!)
  return bitset
}

function setBit(container: BitsetContainer, value: number): void {
  const byte = value >> 3
  const mask = 1 << (value & 7)
  const before = container.bits[byte]!
  if ((before & mask) !== 0) return
  container.bits[byte] = before | mask
  container.count += 1
}

/** Index of the first value that is not below `value`. */
function lowerBound(container: ArrayContainer, value: number): number {
  let low = 0
  let high = container.count
  while (low < high) {
    const middle = (low + high) >> 1
    if (container.values[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
