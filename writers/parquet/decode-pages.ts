import { gunzipSync } from 'node:zlib'
import type { Compressors, FileMetaData } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decompressPage } from 'hyparquet/src/datapage.js'
import { compressors as pureCompressors } from 'hyparquet-compressors'
import { uncompressSync } from 'snappy'
import type { StoredValues } from './cell-conversion.ts'
import { decodeCodes, decodeLevels, decodeValues, type PageReader, pageReader } from './decode-values.ts'
import type { LeafSource } from './read-tree.ts'
import { unreadable } from './unreadable.ts'

/** One data page, taken apart but not interpreted. */
export interface DecodedPage {
  /** Within the row group; `null` when only the pages before can tell. */
  readonly firstRow: number | null
  readonly entryCount: number
  /** `null`: every entry begins a row. */
  readonly reps: Uint8Array | null
  /** `null`: every entry has a value. */
  readonly defs: Uint8Array | null
  /** The values of the page or, where there are `codes`, of the dictionary that they point into. */
  readonly values: StoredValues
  readonly codes: Int32Array | null
}

export type ColumnMetadata = NonNullable<FileMetaData['row_groups'][number]['columns'][number]['meta_data']>
type PageHeader = ReturnType<typeof parquetHeader>

const COMPRESSORS: Compressors = {
  ...pureCompressors,
  // Without the copy, the decompressor's own memory is given back only when the event loop turns.
  SNAPPY: (input, length) =>
    length === 0 ? new Uint8Array(0) : (uncompressSync(input, { copyOutputData: true }) as Buffer),
  GZIP: (input) => gunzipSync(input),
}

/** Decodes the pages of one column chunk, in the order they are handed in; a dictionary page comes first. */
export class PageDecoder {
  private readonly leaf: LeafSource
  private readonly codec: ColumnMetadata['codec']
  private dictionary: StoredValues | null = null

  constructor(leaf: LeafSource, metadata: ColumnMetadata) {
    this.leaf = leaf
    this.codec = metadata.codec
  }

  /**
   * Whole pages, one after the other; each is taken apart when it is asked for.
   *
   * @param firstRow row of the group that the first of them begins with, when it is known
   */
  *decode(bytes: Uint8Array, firstRow: number | null): Generator<DecodedPage> {
    const reader = pageReader(bytes)
    let isFirst = true
    while (reader.offset < bytes.length) {
      const header = parquetHeader(reader)
      const end = reader.offset + header.compressed_page_size
      if (end > bytes.length) throw unreadable('a page is cut off')
      const body = bytes.subarray(reader.offset, end)
      reader.offset = end
      if (header.type === 'DICTIONARY_PAGE') {
        this.decodeDictionary(body, header)
        continue
      }
      yield this.decodeDataPage(body, header, isFirst ? firstRow : null)
      isFirst = false
    }
  }

  private decodeDictionary(body: Uint8Array, header: PageHeader): void {
    const reader = pageReader(this.decompress(body, header.uncompressed_page_size))
    this.dictionary = decodeValues(reader, this.leaf, 'PLAIN', header.dictionary_page_header?.num_values ?? 0)
  }

  private decodeDataPage(body: Uint8Array, header: PageHeader, firstRow: number | null): DecodedPage {
    const { maxRep, maxDef } = this.leaf
    const { data_page_header: v1, data_page_header_v2: v2 } = header
    const declared = v1 ?? v2
    if (declared === undefined) throw unreadable(`a page of type ${header.type} stands among data pages`)
    const { encoding, num_values: entryCount } = declared
    // Levels are compressed together with the values in version 1, and stand bare before them in version 2.
    let reader = pageReader(v1 === undefined ? body : this.decompress(body, header.uncompressed_page_size))
    const reps =
      maxRep > 0 ? decodeLevels(reader, entryCount, maxRep, v2?.repetition_levels_byte_length) : null
    const defs =
      maxDef > 0 ? decodeLevels(reader, entryCount, maxDef, v2?.definition_levels_byte_length) : null
    if (v2 !== undefined) reader = this.valuesOfVersion2(body, header, v2)
    const valueCount = defs === null ? entryCount : countOf(defs, maxDef)
    const isCoded = encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY'
    if (isCoded && this.dictionary === null)
      throw unreadable('a page refers to a dictionary that is not there')
    return {
      firstRow,
      entryCount,
      reps,
      defs: valueCount === entryCount ? null : defs,
      values: isCoded ? this.dictionary! : decodeValues(reader, this.leaf, encoding, valueCount),
      codes: isCoded ? decodeCodes(reader, valueCount) : null,
    }
  }

  private valuesOfVersion2(
    body: Uint8Array,
    header: PageHeader,
    v2: NonNullable<PageHeader['data_page_header_v2']>,
  ): PageReader {
    const levelBytes = v2.repetition_levels_byte_length + v2.definition_levels_byte_length
    const values = body.subarray(levelBytes)
    if (v2.is_compressed === false) return pageReader(values)
    return pageReader(this.decompress(values, header.uncompressed_page_size - levelBytes))
  }

  private decompress(bytes: Uint8Array, length: number): Uint8Array {
    return decompressPage(bytes, length, this.codec, COMPRESSORS)
  }
}

function countOf(levels: Uint8Array, level: number): number {
  let count = 0
  for (let i = 0; i < levels.length; i++) if (levels[i] === level) count++
  return count
}
