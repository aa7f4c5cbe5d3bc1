import { EngineError } from '../../core/errors.ts'
import {
  ARRAY_CARDINALITY_MAX,
  addTo,
  BITSET_BYTES,
  bitsetOf,
  type Container,
  emptyContainer,
} from './roaring-container.ts'
import { RowSet } from './row-set.ts'

/** First word of Delta's `RoaringBitmapArray`. */
const MAGIC = 1681511377
const COOKIE_NO_RUNS = 12346
const COOKIE_RUNS = 12347
/** Below this number of containers a bitmap with runs has no offsets. */
const OFFSETS_FROM = 4

/**
 * Encodes rows as Delta's `RoaringBitmapArray`, containers as arrays or bitsets only.
 *
 * Layout, little endian: u32 magic, u64 bucket count, then per bucket u32 high word + a 32-bit Roaring bitmap. The file
 * around it is big endian, see `deletion-vector.ts`.
 *
 * @see PROTOCOL.md "Deletion Vector Format"; delta-protocol §5
 */
export function encodeRowSet(rows: RowSet): Uint8Array {
  const containers = rows.sortedContainers()
  const headerBytes = 16 + 8 + containers.length * 8
  let sizeBytes = headerBytes
  for (const [, container] of containers) sizeBytes += bodyBytes(container)

  const bytes = new Uint8Array(sizeBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setBigUint64(4, 1n, true)
  view.setUint32(12, 0, true)
  view.setUint32(16, COOKIE_NO_RUNS, true)
  view.setUint32(20, containers.length, true)
  let body = headerBytes
  for (const [at, [key, container]] of containers.entries()) {
    view.setUint16(24 + at * 4, key, true)
    view.setUint16(26 + at * 4, container.count - 1, true)
    view.setUint32(24 + containers.length * 4 + at * 4, body - 16, true)
    if (container.kind === 'bitset') bytes.set(container.bits, body)
    else for (let i = 0; i < container.count; i++) view.setUint16(body + i * 2, container.values[i]!, true)
    body += bodyBytes(container)
  }
  return bytes
}

function bodyBytes(container: Container): number {
  return container.kind === 'bitset' ? BITSET_BYTES : container.count * 2
}

/**
 * Reads a `RoaringBitmapArray`, run containers too.
 *
 * @throws EngineError `E_DELETION_VECTOR` (stop-table) when the bytes are no such bitmap
 */
export function decodeRowSet(bytes: Uint8Array): RowSet {
  try {
    return decode(bytes)
  } catch (error) {
    // `DataView` guards the end of the bytes for us.
    if (error instanceof RangeError) throw damagedVector('its bitmap ends too early', error)
    throw error
  }
}

function decode(bytes: Uint8Array): RowSet {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== MAGIC) throw damagedVector('its magic number is wrong')
  const buckets = view.getBigUint64(4, true)
  if (buckets === 0n) return new RowSet()
  if (buckets !== 1n || view.getUint32(12, true) !== 0) throw damagedVector('it names rows beyond 2^32')
  return RowSet.fromContainers(decodeBitmap(view, 16))
}

interface Header {
  readonly count: number
  readonly hasRuns: (container: number) => boolean
  /** Where the pairs of key and cardinality start. */
  readonly keysAt: number
  readonly hasOffsets: boolean
}

function decodeBitmap(view: DataView, start: number): (readonly [key: number, container: Container])[] {
  const header = decodeHeader(view, start)
  const containers: (readonly [key: number, container: Container])[] = []
  let at = header.keysAt + header.count * (header.hasOffsets ? 8 : 4)
  let previousKey = -1
  for (let i = 0; i < header.count; i++) {
    const key = view.getUint16(header.keysAt + i * 4, true)
    const cardinality = view.getUint16(header.keysAt + i * 4 + 2, true) + 1
    if (key <= previousKey) throw damagedVector('its containers are not in order')
    previousKey = key
    const [container, sizeBytes] = header.hasRuns(i)
      ? decodeRuns(view, at)
      : decodePlain(view, at, cardinality)
    if (container.count !== cardinality) throw damagedVector('a container holds other rows than it says')
    containers.push([key, container])
    at += sizeBytes
  }
  return containers
}

function decodeHeader(view: DataView, start: number): Header {
  const cookie = view.getUint32(start, true)
  if (cookie === COOKIE_NO_RUNS) {
    const count = view.getUint32(start + 4, true)
    if (count > 65_536) throw damagedVector('it has too many containers')
    return { count, hasRuns: () => false, keysAt: start + 8, hasOffsets: true }
  }
  if ((cookie & 0xffff) !== COOKIE_RUNS) throw damagedVector('its Roaring cookie is unknown')
  const count = (cookie >>> 16) + 1
  const flagsAt = start + 4
  return {
    count,
    hasRuns: (i) => (view.getUint8(flagsAt + (i >> 3)) & (1 << (i & 7))) !== 0,
    keysAt: flagsAt + Math.ceil(count / 8),
    hasOffsets: count >= OFFSETS_FROM,
  }
}

function decodePlain(
  view: DataView,
  at: number,
  cardinality: number,
): readonly [Container, sizeBytes: number] {
  if (cardinality > ARRAY_CARDINALITY_MAX) {
    const bits = new Uint8Array(BITSET_BYTES)
    view.getUint8(at + BITSET_BYTES - 1)
    bits.set(new Uint8Array(view.buffer, view.byteOffset + at, BITSET_BYTES))
    return [bitsetOf(bits), BITSET_BYTES]
  }
  const values = new Uint16Array(cardinality)
  for (let i = 0; i < cardinality; i++) {
    values[i] = view.getUint16(at + i * 2, true)
    if (i > 0 && values[i]! <= values[i - 1]!) throw damagedVector('its rows are not in order')
  }
  return [{ kind: 'array', values, count: cardinality }, cardinality * 2]
}

function decodeRuns(view: DataView, at: number): readonly [Container, sizeBytes: number] {
  const runs = view.getUint16(at, true)
  let container: Container = emptyContainer()
  for (let run = 0; run < runs; run++) {
    const first = view.getUint16(at + 2 + run * 4, true)
    const last = first + view.getUint16(at + 4 + run * 4, true)
    if (last > 0xffff) throw damagedVector('a run leaves its container')
    for (let value = first; value <= last; value++) container = addTo(container, value)
  }
  return [container, 2 + runs * 4]
}

/** @param why part of a sentence */
export function damagedVector(why: string, cause?: unknown): EngineError {
  return new EngineError(
    'E_DELETION_VECTOR',
    'stop-table',
    `a deletion vector cannot be trusted: ${why}. Without it deleted rows would come back, so the table stops: restore ` +
      'the file from a backup or an object version, or restore the table to the version before',
    {},
    cause,
  )
}
