import { assert } from '../../core/assert.ts'
import type { ColumnSet } from './column-set.ts'
import { ColumnChunkEncoder, type FileParts } from './encode-column-chunk.ts'
import {
  type ChunkInFile,
  encodeFileMetadata,
  type IndexLocation,
  type RowGroupInFile,
} from './file-footer.ts'
import { type LeafStatistics, leafStatistics } from './leaf-statistics.ts'
import { encodeColumnIndex, encodeOffsetIndex } from './page-index.ts'
import { MAGIC } from './parquet-format.ts'

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
  /** The whole file. */
  readonly bytes: Uint8Array
  readonly rowCount: number
  readonly statistics: readonly LeafStatistics[]
}

/**
 * Encodes rows as one Parquet file: data pages of version 1, a dictionary where it shrinks a column, PLAIN elsewhere.
 *
 * @see delta-protocol §8 for how each type is stored
 */
export function encodeParquet(columns: ColumnSet, options: ParquetOptions): EncodedParquet {
  assert(options.pageRows > 0 && options.rowGroupRows > 0, 'pages and row groups hold at least one row')
  const file = new JoinedParts()
  file.add(MAGIC)
  const encoders = columns.leaves.map((leaf) => new ColumnChunkEncoder(leaf, options))
  const rowGroups: RowGroupInFile[] = []
  for (let row = 0; row < columns.rowCount; row += options.rowGroupRows) {
    const rowCount = Math.min(options.rowGroupRows, columns.rowCount - row)
    const chunks = encoders.map((encoder) => ({
      ...encoder.encodeRows(rowCount, file),
      columnIndex: null,
      offsetIndex: null,
    }))
    rowGroups.push({ rowCount, chunks })
  }
  const chunks = rowGroups.flatMap((group) => group.chunks)
  if (options.pageIndex) addPageIndexes(chunks, file)
  const { schema, rowCount } = columns
  const metadata = encodeFileMetadata(schema, rowCount, rowGroups, options.codec, options.createdBy)
  file.add(metadata)
  file.add(new Uint8Array(Uint32Array.of(metadata.length).buffer))
  file.add(MAGIC)
  return { bytes: file.join(), rowCount, statistics: leafStatistics(columns, chunks) }
}

/** All column indexes, then all offset indexes, between the data and the footer: a reader fetches each lot at once. */
function addPageIndexes(chunks: readonly ChunkInFile[], file: FileParts): void {
  for (const chunk of chunks) {
    const index = encodeColumnIndex(chunk)
    if (index !== null) chunk.columnIndex = addIndex(index, file)
  }
  for (const chunk of chunks) chunk.offsetIndex = addIndex(encodeOffsetIndex(chunk.pages), file)
}

function addIndex(bytes: Uint8Array, file: FileParts): IndexLocation {
  const location = { offset: file.length, length: bytes.length }
  file.add(bytes)
  return location
}

class JoinedParts implements FileParts {
  length = 0
  private readonly parts: Uint8Array[] = []

  add(part: Uint8Array): void {
    this.parts.push(part)
    this.length += part.length
  }

  join(): Uint8Array {
    const whole = new Uint8Array(this.length)
    let at = 0
    for (const part of this.parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}
