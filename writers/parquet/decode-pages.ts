import { gunzipSync } from 'node:zlib'
import type { Compressors, FileMetaData } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { decompressPage, readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js'
import { readPlain } from 'hyparquet/src/plain.js'
import { compressors as pureCompressors } from 'hyparquet-compressors'
import { uncompressSync } from 'snappy'
import { EngineError } from '../../core/errors.ts'
import type { LeafSource } from './read-tree.ts'

/** Stored values, not yet cells. */
export type StoredValues = ArrayLike<unknown>

/** One data page, taken apart but not interpreted. */
export interface DecodedPage {
  /** Within the row group; `null` when only the pages before can tell. */
  readonly firstRow: number | null
  readonly entryCount: number
  /** `null`: every entry begins a row. */
  readonly reps: ArrayLike<number> | null
  /** `null`: every entry has a value. */
  readonly defs: ArrayLike<number> | null
  /** The values, or (with a dictionary) their places in it. */
  readonly values: StoredValues
  readonly dictionary: StoredValues | null
}

export type ColumnMetadata = NonNullable<FileMetaData['row_groups'][number]['columns'][number]['meta_data']>
type ColumnDecoder = Parameters<typeof readDataPage>[2]

const COMPRESSORS: Compressors = {
  ...pureCompressors,
  SNAPPY: (input, length) => (length === 0 ? new Uint8Array(0) : (uncompressSync(input) as Buffer)),
  GZIP: (input) => gunzipSync(input),
}

/** Decodes the pages of one column chunk, in the order they are handed in; a dictionary page comes first. */
export class PageDecoder {
  private readonly decoder: ColumnDecoder
  private dictionary: StoredValues | null = null

  constructor(leaf: LeafSource, metadata: ColumnMetadata) {
    this.decoder = {
      pathInSchema: metadata.path_in_schema,
      type: metadata.type,
      element: leaf.element,
      schemaPath: leaf.schemaPath,
      codec: metadata.codec,
      compressors: COMPRESSORS,
      // hyparquet would interpret values with these; we stop before that.
      parsers: {} as ColumnDecoder['parsers'],
    }
  }

  /**
   * Whole pages, one after the other.
   *
   * @param firstRow row of the group that the first of them begins with, when it is known
   */
  decode(bytes: Uint8Array, firstRow: number | null): readonly DecodedPage[] {
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 }
    const pages: DecodedPage[] = []
    while (reader.offset < bytes.length) {
      const header = parquetHeader(reader)
      const end = reader.offset + header.compressed_page_size
      const body = bytes.subarray(reader.offset, end)
      if (body.length !== header.compressed_page_size) throw unreadable('a page is cut off')
      reader.offset = end
      if (header.type === 'DICTIONARY_PAGE') this.decodeDictionary(body, header)
      else pages.push(this.decodeDataPage(body, header, pages.length === 0 ? firstRow : null))
    }
    return pages
  }

  private decodeDictionary(body: Uint8Array, header: ReturnType<typeof parquetHeader>): void {
    const { codec, type, element } = this.decoder
    const plain = decompressPage(body, header.uncompressed_page_size, codec, COMPRESSORS)
    const reader = { view: new DataView(plain.buffer, plain.byteOffset, plain.length), offset: 0 }
    const count = header.dictionary_page_header?.num_values ?? 0
    this.dictionary = readPlain(reader, type, count, element.type_length)
  }

  private decodeDataPage(
    body: Uint8Array,
    header: ReturnType<typeof parquetHeader>,
    firstRow: number | null,
  ): DecodedPage {
    const v1 = header.data_page_header
    const v2 = header.data_page_header_v2
    const declared = v1 ?? v2
    if (declared === undefined) throw unreadable(`a page of type ${header.type} stands among data pages`)
    const { codec } = this.decoder
    const page =
      v1 !== undefined
        ? readDataPage(
            decompressPage(body, header.uncompressed_page_size, codec, COMPRESSORS),
            v1,
            this.decoder,
          )
        : readDataPageV2(body, header, this.decoder)
    const { definitionLevels, repetitionLevels, dataPage } = page
    const isCoded = declared.encoding.endsWith('_DICTIONARY')
    if (isCoded && this.dictionary === null)
      throw unreadable('a page refers to a dictionary that is not there')
    return {
      firstRow,
      entryCount: declared.num_values,
      reps: repetitionLevels.length > 0 ? repetitionLevels : null,
      defs: definitionLevels !== undefined && definitionLevels.length > 0 ? definitionLevels : null,
      values: dataPage,
      dictionary: isCoded ? this.dictionary : null,
    }
  }
}

/** What is wrong with a file that cannot be taken apart. */
export function unreadable(reason: string, cause?: unknown): EngineError {
  return new EngineError(
    'E_PARQUET_UNREADABLE',
    'stop-table',
    `a Parquet file cannot be read: ${reason}. Restore the file from a copy, or restore the table to a version without it`,
    {},
    cause,
  )
}
