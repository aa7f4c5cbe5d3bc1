import { assert } from '../../core/assert.ts'
import type { ObjectStore } from '../../core/ports.ts'
import { crc32 } from './crc32.ts'
import type { DeletionVectorDescriptor } from './dv-descriptor.ts'
import { objectPath } from './file-path.ts'
import { joinTablePath } from './log-path.ts'
import { damagedVector, decodeRowSet, encodeRowSet } from './roaring-format.ts'
import type { RowSet } from './row-set.ts'
import { decodeZ85, encodeZ85 } from './z85.ts'

const FILE_FORMAT_VERSION = 1
/** Z85 digits of a UUID. */
const UUID_DIGITS = 20

/** Where a vector lies in the file that `encodeDeletionVectorFile` made; `describeVector` adds which file. */
export type VectorPlace = Required<Pick<DeletionVectorDescriptor, 'offset' | 'sizeInBytes' | 'cardinality'>>

/**
 * One file with the vectors of one commit.
 *
 * Framing, big endian: a byte 1, then per vector i32 size, bitmap, i32 CRC-32 of the bitmap.
 *
 * @param sets none empty: a file without deleted rows has no vector
 * @returns the bytes, and the place of every vector in the order of `sets`
 * @see PROTOCOL.md "Deletion Vector Storage"; delta-protocol §5
 */
export function encodeDeletionVectorFile(sets: readonly RowSet[]): {
  readonly bytes: Uint8Array
  readonly places: readonly VectorPlace[]
} {
  const bitmaps = sets.map(encodeRowSet)
  const bytes = new Uint8Array(bitmaps.reduce((size, bitmap) => size + bitmap.length + 8, 1))
  const view = new DataView(bytes.buffer)
  const places: VectorPlace[] = []
  bytes[0] = FILE_FORMAT_VERSION
  let offset = 1
  for (const [at, bitmap] of bitmaps.entries()) {
    const cardinality = sets[at]!.size
    assert(cardinality > 0, 'an empty deletion vector must not be written')
    view.setInt32(offset, bitmap.length)
    bytes.set(bitmap, offset + 4)
    view.setUint32(offset + 4 + bitmap.length, crc32(bitmap))
    places.push({ offset, sizeInBytes: bitmap.length, cardinality })
    offset += bitmap.length + 8
  }
  return { bytes, places }
}

/** Where the vector file of a UUID lies under the root of its table. */
export function deletionVectorFileName(uuid: string): string {
  return `deletion_vector_${uuid}.bin`
}

/** @param uuid of the file, as in `deletionVectorFileName` */
export function describeVector(uuid: string, place: VectorPlace): DeletionVectorDescriptor {
  return { storageType: 'u', pathOrInlineDv: encodeZ85(uuidBytes(uuid)), ...place }
}

/**
 * Where the file of a vector lies in the store.
 *
 * @returns `undefined` for a vector that lies in the log itself
 * @throws EngineError `E_DELETION_VECTOR` or `E_FILE_PATH` (stop-table)
 */
export function deletionVectorPath(
  store: ObjectStore,
  tablePath: string,
  descriptor: DeletionVectorDescriptor,
): string | undefined {
  const { storageType, pathOrInlineDv } = descriptor
  if (storageType === 'i') return undefined
  if (storageType === 'p') return objectPath(store, tablePath, pathOrInlineDv)
  const prefix = pathOrInlineDv.slice(0, -UUID_DIGITS)
  const uuid = decodeZ85(pathOrInlineDv.slice(-UUID_DIGITS))
  if (uuid?.length !== 16) throw damagedVector(`its name ${pathOrInlineDv} is not a UUID in Z85`)
  const name = deletionVectorFileName(uuidText(uuid))
  return joinTablePath(tablePath, prefix === '' ? name : `${prefix}/${name}`)
}

/**
 * Rows that a vector deletes. Checks size, checksum and cardinality: a wrong vector gives wrong rows without any error.
 *
 * @throws EngineError `E_DELETION_VECTOR` (stop-table) when it is missing or damaged, and what the store throws
 */
export async function readDeletionVector(
  store: ObjectStore,
  tablePath: string,
  descriptor: DeletionVectorDescriptor,
): Promise<RowSet> {
  const path = deletionVectorPath(store, tablePath, descriptor)
  const bitmap = path === undefined ? inlineBitmap(descriptor) : await storedBitmap(store, path, descriptor)
  const rows = decodeRowSet(bitmap)
  if (rows.size !== descriptor.cardinality) {
    throw damagedVector(`it holds ${rows.size} rows where the log says ${descriptor.cardinality}`)
  }
  return rows
}

function inlineBitmap({ pathOrInlineDv, sizeInBytes }: DeletionVectorDescriptor): Uint8Array {
  const padded = decodeZ85(pathOrInlineDv)
  if (padded === undefined || padded.length < sizeInBytes) throw damagedVector('its inline text is not Z85')
  return padded.subarray(0, sizeInBytes)
}

async function storedBitmap(
  store: ObjectStore,
  path: string,
  { offset = 1, sizeInBytes }: DeletionVectorDescriptor,
): Promise<Uint8Array> {
  const framed = await store.getRange('deletion-vector.get', path, offset, offset + sizeInBytes + 8)
  if (framed === null) throw damagedVector(`its file ${path} is missing`)
  if (framed.length < sizeInBytes + 8) throw damagedVector(`its file ${path} is too short`)
  const view = new DataView(framed.buffer, framed.byteOffset, framed.length)
  if (view.getInt32(0) !== sizeInBytes)
    throw damagedVector(`its file ${path} tells another size than the log`)
  const bitmap = framed.subarray(4, 4 + sizeInBytes)
  if (view.getUint32(4 + sizeInBytes) !== crc32(bitmap))
    throw damagedVector(`its checksum in ${path} is wrong`)
  return bitmap
}

function uuidBytes(uuid: string): Uint8Array {
  const digits = uuid.replaceAll('-', '')
  assert(/^[0-9a-fA-F]{32}$/.test(digits), `not a UUID: ${uuid}`)
  return Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16))
}

function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [8, 12, 16, 20, 32].map((end, at) => hex.slice([0, 8, 12, 16, 20][at], end)).join('-')
}
