import { compressSync } from 'snappy'
import { ByteBuffer } from './byte-buffer.ts'
import { mergeBounds } from './column-bounds.ts'
import type { LeafColumn } from './column-tree.ts'
import { buildDictionary, type Dictionary } from './dictionary.ts'
import { type CODEC, ENCODING, PAGE_TYPE } from './parquet-format.ts'
import { bitWidthOf, writeRleBitPacked } from './rle-bit-packed.ts'
import { ThriftCompactWriter } from './thrift-compact.ts'
import type { Bounds } from './value-store.ts'

/** A page above this many bytes is cut before it has all its rows, as long as it has more than one. */
const PAGE_BYTES_MAX = 1 << 20

export interface PageRecord {
  readonly offset: number
  /** With its header. */
  readonly compressedSize: number
  /** Within the row group. */
  readonly firstRow: number
  readonly entryCount: number
  readonly nullCount: number
  readonly bounds: Bounds | undefined
}

export interface ChunkRecord {
  readonly leaf: LeafColumn
  readonly entryCount: number
  readonly nullCount: number
  readonly bounds: Bounds | undefined
  readonly dictionaryOffset: number | null
  readonly pages: readonly PageRecord[]
  readonly compressedSize: number
  readonly uncompressedSize: number
}

/** The file's bytes so far, as a list of parts that is joined once. */
export interface FileParts {
  add(part: Uint8Array): void
  readonly length: number
}

export interface PageOptions {
  readonly codec: keyof typeof CODEC
  readonly pageRows: number
}

/** Entries `[entryStart, entryEnd)` and values `[valueStart, valueEnd)` of a leaf that make up some whole rows. */
interface Slice {
  readonly entryStart: number
  readonly entryEnd: number
  readonly valueStart: number
  readonly valueEnd: number
}

/** Writes the pages of one leaf, row group by row group: it remembers how far it has come. */
export class ColumnChunkEncoder {
  private readonly leaf: LeafColumn
  private readonly options: PageOptions
  private readonly page = new ByteBuffer(1 << 16)
  private entry = 0
  private value = 0

  constructor(leaf: LeafColumn, options: PageOptions) {
    this.leaf = leaf
    this.options = options
  }

  /** Encodes the next `rowCount` rows and adds their pages to the file. */
  encodeRows(rowCount: number, file: FileParts): ChunkRecord {
    const { leaf } = this
    const chunk = this.sliceRows(rowCount)
    const start = file.length
    const dictionary =
      leaf.type === 'boolean' ? null : buildDictionary(leaf.values, chunk.valueStart, chunk.valueEnd)
    let uncompressedSize = 0
    if (dictionary !== null) uncompressedSize += this.writeDictionaryPage(dictionary, file)
    const pages: PageRecord[] = []
    let bounds: Bounds | undefined
    for (let firstRow = 0; firstRow < rowCount; ) {
      let rows = Math.min(this.options.pageRows, rowCount - firstRow)
      let slice = this.sliceRows(rows)
      while (rows > 1 && leaf.values.plainSizeBytes(slice.valueStart, slice.valueEnd) > PAGE_BYTES_MAX) {
        rows = rows >> 1
        slice = this.sliceRows(rows)
      }
      const codesFrom = slice.valueStart - chunk.valueStart
      const offset = file.length
      uncompressedSize += this.writeDataPage(slice, dictionary, codesFrom, file)
      const pageBounds = leaf.values.bounds(slice.valueStart, slice.valueEnd)
      const entryCount = slice.entryEnd - slice.entryStart
      pages.push({
        offset,
        compressedSize: file.length - offset,
        firstRow,
        entryCount,
        nullCount: entryCount - (slice.valueEnd - slice.valueStart),
        bounds: pageBounds,
      })
      bounds = mergeBounds(leaf.values, bounds, pageBounds)
      firstRow += rows
      this.entry = slice.entryEnd
      this.value = slice.valueEnd
    }
    const entryCount = chunk.entryEnd - chunk.entryStart
    return {
      leaf,
      entryCount,
      nullCount: entryCount - (chunk.valueEnd - chunk.valueStart),
      bounds,
      dictionaryOffset: dictionary === null ? null : start,
      pages,
      compressedSize: file.length - start,
      uncompressedSize,
    }
  }

  /** What the next `rowCount` rows take, without moving on. */
  private sliceRows(rowCount: number): Slice {
    const { reps, defs, maxDef, entryCount, nullCount } = this.leaf
    let entryEnd = this.entry + rowCount
    if (reps !== null) {
      entryEnd = this.entry
      for (let rows = 0; entryEnd < entryCount; entryEnd++) {
        if (reps[entryEnd] === 0 && ++rows > rowCount) break
      }
    }
    let valueEnd = this.value + entryEnd - this.entry
    if (defs !== null && nullCount > 0) {
      for (let i = this.entry; i < entryEnd; i++) if (defs[i] !== maxDef) valueEnd--
    }
    return { entryStart: this.entry, entryEnd, valueStart: this.value, valueEnd }
  }

  private writeDictionaryPage(dictionary: Dictionary, file: FileParts): number {
    const { values } = this.leaf
    this.page.clear()
    const { entries } = dictionary
    for (let from = 0, to = 0; from < entries.length; from = to) {
      // Values that stand side by side go over together: of a column with few repeats that is most of them.
      do to++
      while (to < entries.length && entries[to] === entries[to - 1]! + 1)
      this.page.append(values.plain(entries[from]!, entries[to - 1]! + 1))
    }
    return this.writePage(file, PAGE_TYPE.DICTIONARY_PAGE, (thrift) => {
      thrift.struct(7, () => {
        thrift.i32(1, dictionary.entries.length)
        thrift.i32(2, ENCODING.PLAIN)
      })
    })
  }

  private writeDataPage(
    slice: Slice,
    dictionary: Dictionary | null,
    codesFrom: number,
    file: FileParts,
  ): number {
    const { page, leaf } = this
    page.clear()
    if (leaf.reps !== null) this.writeLevels(leaf.reps, slice, leaf.maxRep)
    if (leaf.defs !== null) this.writeLevels(leaf.defs, slice, leaf.maxDef)
    if (dictionary === null) {
      page.append(leaf.values.plain(slice.valueStart, slice.valueEnd))
    } else {
      const codesTo = codesFrom + slice.valueEnd - slice.valueStart
      page.byte(dictionary.bitWidth)
      writeRleBitPacked(page, dictionary.codes, codesFrom, codesTo, dictionary.bitWidth)
    }
    return this.writePage(file, PAGE_TYPE.DATA_PAGE, (thrift) => {
      thrift.struct(5, () => {
        thrift.i32(1, slice.entryEnd - slice.entryStart)
        thrift.i32(2, dictionary === null ? ENCODING.PLAIN : ENCODING.RLE_DICTIONARY)
        thrift.i32(3, ENCODING.RLE)
        thrift.i32(4, ENCODING.RLE)
      })
    })
  }

  /** Levels of a version 1 page stand behind their length in bytes. */
  private writeLevels(levels: Uint8Array, slice: Slice, maxLevel: number): void {
    const { page } = this
    const lengthAt = page.length
    page.littleEndian(0, 4)
    writeRleBitPacked(page, levels, slice.entryStart, slice.entryEnd, bitWidthOf(maxLevel))
    page.patchUint32(lengthAt, page.length - lengthAt - 4)
  }

  /** Adds the page in `this.page` to the file. @returns its size before compression, with the header */
  private writePage(
    file: FileParts,
    type: number,
    typeHeader: (thrift: ThriftCompactWriter) => void,
  ): number {
    const plain = this.page.view()
    // Without the copy, the compressor's own memory is given back only when the event loop turns.
    const body =
      this.options.codec === 'snappy' ? compressSync(plain, { copyOutputData: true }) : plain.slice()
    const thrift = new ThriftCompactWriter()
    thrift.i32(1, type)
    thrift.i32(2, plain.length)
    thrift.i32(3, body.length)
    typeHeader(thrift)
    const header = thrift.finish()
    file.add(header)
    file.add(body)
    return header.length + plain.length
  }
}
