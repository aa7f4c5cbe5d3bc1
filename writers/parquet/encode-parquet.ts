import { assert } from '../../core/assert.ts'
import type { StructType } from '../../schemas/delta-types.ts'
import { copyOfBounds, encodeBounds } from './column-bounds.ts'
import type { ColumnSet } from './column-set.ts'
import { type ChunkRecord, ColumnChunkEncoder, type FileParts } from './encode-column-chunk.ts'
import { type ChunkInFile, encodeFooter, type IndexLocation, type RowGroupInFile } from './file-footer.ts'
import { type LeafStatistics, leafStatistics, mergeLeafStatistics } from './leaf-statistics.ts'
import { encodeColumnIndex, encodeOffsetIndex } from './page-index.ts'
import { MAGIC } from './parquet-format.ts'
import type { LeafType } from './physical-types.ts'
import { boundsOfWhole, type WholeRowGroup } from './whole-row-group.ts'

export interface ParquetOptions {
  readonly codec: 'uncompressed' | 'snappy'
  /** Rows a page at most: 2000 for tables that are read by position, since a point read decodes a page. */
  readonly pageRows: number
  readonly rowGroupRows: number
  /** Whether to write where each page lies and what bounds it has. */
  readonly pageIndex: boolean
  readonly createdBy: string
}

export interface EncodedParquet {
  /** The whole file, but for what was taken before. */
  readonly bytes: Uint8Array
  /** Of the whole file. */
  readonly sizeBytes: number
  readonly rowCount: number
  readonly statistics: readonly LeafStatistics[]
}

/**
 * Encodes rows as one Parquet file: data pages of version 1, a dictionary where it shrinks a column, PLAIN elsewhere.
 *
 * @see delta-protocol §8 for how each type is stored
 */
export function encodeParquet(columns: ColumnSet, options: ParquetOptions): EncodedParquet {
  const file = new ParquetFileEncoder(columns.schema, options)
  for (const _ of file.add(columns));
  return file.finish()
}

/**
 * A Parquet file that comes into being bit by bit: rows that were added may be let go, and between two steps of `add`
 * somebody else may have the processor.
 */
export class ParquetFileEncoder {
  readonly #schema: StructType
  readonly #options: ParquetOptions
  readonly #file: FileBytes
  readonly #rowGroups: RowGroupInFile[] = []
  readonly #indexes: {
    readonly chunk: ChunkInFile
    readonly column: Uint8Array | null
    readonly offset: Uint8Array
  }[] = []
  #rowCount = 0
  #statistics: readonly LeafStatistics[] | null = null

  /** @param sizeBytesHint how large the file will be, about; a wrong guess costs only copying */
  constructor(schema: StructType, options: ParquetOptions, sizeBytesHint = 0) {
    assert(options.pageRows > 0 && options.rowGroupRows > 0, 'pages and row groups hold at least one row')
    this.#schema = schema
    this.#options = options
    this.#file = new FileBytes(sizeBytesHint)
    this.#file.add(MAGIC)
  }

  /** Adds rows of the file's schema, as row groups of their own. A step is a column of one row group. */
  *add(columns: ColumnSet): Generator<void> {
    const { rowGroupRows } = this.#options
    const encoders = columns.leaves.map((leaf) => new ColumnChunkEncoder(leaf, this.#options))
    const records: ChunkRecord[] = []
    for (let row = 0; row < columns.rowCount; row += rowGroupRows) {
      const rowCount = Math.min(rowGroupRows, columns.rowCount - row)
      const chunks: ChunkInFile[] = []
      for (const encoder of encoders) {
        const record = encoder.encodeRows(rowCount, this.#file)
        records.push(record)
        chunks.push(this.#chunkInFile(record))
        yield
      }
      this.#rowGroups.push({ rowCount, chunks })
    }
    this.#note(columns.rowCount, leafStatistics(columns, records))
  }

  /** Adds a row group of another file, see `isWrittenAs`, as it lies there. */
  addWhole(group: WholeRowGroup): void {
    const { bounds, statistics } = boundsOfWhole(group, this.#schema)
    const chunks = group.chunks.map(({ bytes, metadata, pages, columnIndex }, i): ChunkInFile => {
      const start = this.#file.length
      this.#file.add(bytes)
      const { path, type, nullCount } = statistics[i]!
      const inFile = pages.map((page) => ({ ...page, offset: start + page.offset }))
      const firstPageOffset = inFile[0]!.offset
      const chunk: ChunkInFile = {
        path,
        type: type as LeafType,
        entryCount: Number(metadata.num_values),
        nullCount,
        bounds: bounds[i],
        dictionaryOffset: firstPageOffset > start ? start : null,
        firstPageOffset,
        pageCount: pages.length,
        compressedSize: bytes.length,
        uncompressedSize: Number(metadata.total_uncompressed_size),
        columnIndex: null,
        offsetIndex: null,
      }
      this.#indexes.push({ chunk, column: columnIndex, offset: encodeOffsetIndex(inFile) })
      return chunk
    })
    this.#rowGroups.push({ rowCount: group.rowCount, chunks })
    this.#note(group.rowCount, statistics)
  }

  #note(rowCount: number, statistics: readonly LeafStatistics[]): void {
    this.#rowCount += rowCount
    this.#statistics =
      this.#statistics === null ? statistics : mergeLeafStatistics(this.#statistics, statistics)
  }

  /** Bytes of the file since the last time; their memory is used again by the next `add`. */
  take(): Uint8Array {
    return this.#file.take()
  }

  finish(): EncodedParquet {
    const file = this.#file
    assert(this.#statistics !== null, 'a file holds at least one set of rows')
    this.#addPageIndexes()
    file.add(encodeFooter(this.#schema, this.#rowCount, this.#rowGroups, this.#options))
    return {
      bytes: file.take(),
      sizeBytes: file.length,
      rowCount: this.#rowCount,
      statistics: this.#statistics,
    }
  }

  #chunkInFile(record: ChunkRecord): ChunkInFile {
    const { leaf, bounds, pages, ...rest } = record
    const chunk: ChunkInFile = {
      ...rest,
      path: leaf.path,
      type: leaf.type,
      bounds:
        bounds === undefined || bounds.hasNaN
          ? undefined
          : copyOfBounds(encodeBounds(leaf.values, leaf.type, bounds)),
      firstPageOffset: pages[0]!.offset,
      pageCount: pages.length,
      columnIndex: null,
      offsetIndex: null,
    }
    if (this.#options.pageIndex) {
      this.#indexes.push({ chunk, column: encodeColumnIndex(record), offset: encodeOffsetIndex(pages) })
    }
    return chunk
  }

  /** All column indexes, then all offset indexes, between the data and the footer: a reader fetches each lot at once. */
  #addPageIndexes(): void {
    for (const { chunk, column } of this.#indexes)
      if (column !== null) chunk.columnIndex = this.#addIndex(column)
    for (const { chunk, offset } of this.#indexes) chunk.offsetIndex = this.#addIndex(offset)
  }

  #addIndex(bytes: Uint8Array): IndexLocation {
    const location = { offset: this.#file.length, length: bytes.length }
    this.#file.add(bytes)
    return location
  }
}

class FileBytes implements FileParts {
  length = 0
  #bytes: Uint8Array
  #used = 0

  constructor(sizeBytesHint: number) {
    this.#bytes = new Uint8Array(Math.max(sizeBytesHint, 1 << 12))
  }

  add(part: Uint8Array): void {
    const used = this.#used + part.length
    if (used > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(used, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.#used))
      this.#bytes = grown
    }
    this.#bytes.set(part, this.#used)
    this.#used = used
    this.length += part.length
  }

  /** Not copied. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#used)
    this.#used = 0
    return taken
  }
}
