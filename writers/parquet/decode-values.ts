import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js'
import { byteStreamSplit, readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { readPlain } from 'hyparquet/src/plain.js'
import { ByteArrays } from './byte-arrays.ts'
import type { StoredValues } from './cell-conversion.ts'
import type { LeafSource } from './read-tree.ts'
import { bitWidthOf } from './rle-bit-packed.ts'
import { unreadable } from './unreadable.ts'

/** Where reading stands in the bytes of a page. */
export interface PageReader {
  readonly view: DataView
  offset: number
}

export function pageReader(bytes: Uint8Array): PageReader {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 }
}

/**
 * Levels in Parquet's hybrid encoding.
 *
 * @param lengthBytes how long they are; `undefined`: their length stands before them (pages of version 1)
 */
export function decodeLevels(
  reader: PageReader,
  count: number,
  maxLevel: number,
  lengthBytes?: number,
): Uint8Array {
  const levels = new Uint8Array(count)
  readRleBitPackedHybrid(reader, bitWidthOf(maxLevel), levels, lengthBytes)
  return levels
}

/** Places in a dictionary, behind one byte that tells their width; a page without values may lack even that. */
export function decodeCodes(reader: PageReader, count: number): Int32Array {
  const codes = new Int32Array(count)
  if (count === 0) return codes
  const width = reader.view.getUint8(reader.offset++)
  if (width > 0) readRleBitPackedHybrid(reader, width, codes, reader.view.byteLength - reader.offset)
  return codes
}

/** @throws Error for an encoding that we do not know, or damaged bytes */
export function decodeValues(
  reader: PageReader,
  leaf: LeafSource,
  encoding: string,
  count: number,
): StoredValues {
  const { type, type_length: width } = leaf.element
  if (count === 0 || type === undefined) return []
  const isBytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY'
  switch (encoding) {
    case 'PLAIN':
      if (!isBytes) return readPlain(reader, type, count, width)
      return type === 'BYTE_ARRAY'
        ? ByteArrays.ofPlain(rest(reader), count)
        : ByteArrays.ofFixed(rest(reader), count, width!)
    case 'RLE': {
      const bits = new Uint8Array(count)
      readRleBitPackedHybrid(reader, 1, bits)
      return Array.from(bits, (bit) => bit === 1)
    }
    case 'BYTE_STREAM_SPLIT': {
      const values = byteStreamSplit(reader, count, type, width)
      return isBytes ? ByteArrays.ofParts(values as Uint8Array[]) : values
    }
    case 'DELTA_BINARY_PACKED': {
      const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count)
      deltaBinaryUnpack(reader, count, values)
      return values
    }
    case 'DELTA_LENGTH_BYTE_ARRAY':
    case 'DELTA_BYTE_ARRAY': {
      const parts = new Array<Uint8Array>(count)
      if (encoding === 'DELTA_BYTE_ARRAY') deltaByteArray(reader, count, parts)
      else deltaLengthByteArray(reader, count, parts)
      return ByteArrays.ofParts(parts)
    }
    default:
      throw unreadable(`its encoding ${encoding} is unknown`)
  }
}

function rest({ view, offset }: PageReader): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, view.byteLength - offset)
}
