import { type FileMetaData, parquetMetadata, readColumnIndex, readOffsetIndex } from 'hyparquet'
import type { Cell, StructType } from '../../schemas/delta-types.ts'
import { ByteArrays } from './byte-arrays.ts'
import type { CellConversion } from './cell-conversion.ts'
import { copyOfBounds, type EncodedBounds, encodeBounds } from './column-bounds.ts'
import { ColumnSet } from './column-set.ts'
import type { ColumnMetadata } from './decode-pages.ts'
import { encodeFooter, type FooterOptions } from './file-footer.ts'
import { type LeafStatistics, leafStatistics } from './leaf-statistics.ts'
import type { PageLocation } from './page-index.ts'
import type { LeafSource } from './read-tree.ts'

/**
 * A row group of a file that is as we would write it, without nested columns: it can be taken over into another file of
 * the same schema byte for byte.
 */
export interface WholeRowGroup {
  readonly rowCount: number
  /** In the order of the file. */
  readonly chunks: readonly WholeChunk[]
}

export interface WholeChunk {
  /** All of its pages, the dictionary before the others. */
  readonly bytes: Uint8Array
  readonly metadata: ColumnMetadata
  /** Data pages; their offsets count from the first byte of the chunk. */
  readonly pages: readonly PageLocation[]
  /** The struct `ColumnIndex` as it is in the file. */
  readonly columnIndex: Uint8Array
  /** The least and the greatest value of each page that has any. */
  readonly bounds: readonly Cell[]
}

/** Whether a file has the form of one that we write with this schema and these options. */
export function isWrittenAs(file: FileMetaData, schema: StructType, options: FooterOptions): boolean {
  const codec = options.codec.toUpperCase()
  const isOurs = file.created_by === options.createdBy
  const chunks = file.row_groups.flatMap(({ columns }) => columns)
  if (!isOurs || chunks.some(({ meta_data }) => meta_data?.codec !== codec)) return false
  const ours = parquetMetadata(encodeFooter(schema, 0, [], options))
  return JSON.stringify(file.schema) === JSON.stringify(ours.schema)
}

/**
 * @param start where the chunk begins in its file
 * @param index of its pages: the structs `ColumnIndex` and `OffsetIndex`
 */
export function wholeChunk(
  leaf: LeafSource,
  metadata: ColumnMetadata,
  start: number,
  bytes: Uint8Array,
  index: { readonly column: Uint8Array; readonly offset: Uint8Array },
): WholeChunk {
  const pages = readOffsetIndex(readerOf(index.offset)).page_locations.map((page) => ({
    offset: Number(page.offset) - start,
    compressedSize: page.compressed_page_size,
    firstRow: Number(page.first_row_index),
  }))
  return { bytes, metadata, pages, columnIndex: index.column, bounds: pageBounds(leaf, index.column) }
}

/** What a footer and a log tell of a row group, by column. */
export function boundsOfWhole(
  { chunks }: WholeRowGroup,
  schema: StructType,
): {
  readonly bounds: readonly (EncodedBounds | undefined)[]
  readonly statistics: readonly LeafStatistics[]
} {
  const columns = new ColumnSet(schema)
  const records = columns.leaves.map((leaf, i) => {
    for (const cell of chunks[i]!.bounds) leaf.write(cell, 0, 0)
    return { leaf, bounds: leaf.values.bounds(0, leaf.values.count) }
  })
  const statisticsOf = (i: number) => chunks[i]!.metadata.statistics!
  const bounds = records.map(({ leaf, bounds: found }, i) => {
    if (found === undefined) return undefined
    const { is_min_value_exact, is_max_value_exact } = statisticsOf(i)
    const encoded = copyOfBounds(encodeBounds(leaf.values, leaf.type, found))
    // Of a long text a page has told the beginning alone.
    return { ...encoded, isMinExact: is_min_value_exact === true, isMaxExact: is_max_value_exact === true }
  })
  const statistics = leafStatistics(columns, records).map((leaf, i) => ({
    ...leaf,
    nullCount: Number(statisticsOf(i).null_count),
  }))
  return { bounds, statistics }
}

function pageBounds(leaf: LeafSource, columnIndex: Uint8Array): readonly Cell[] {
  const { name, type } = leaf.element
  // Without its annotation the column's bounds are left as they are stored.
  const stored = { name, ...(type === undefined ? {} : { type }) }
  const parsers = { stringFromBytes: (bytes: Uint8Array) => bytes as never }
  const { null_pages, min_values, max_values } = readColumnIndex(readerOf(columnIndex), stored, parsers)
  const hasValues = (_: unknown, page: number) => !null_pages[page]
  const values: readonly unknown[] = [...min_values.filter(hasValues), ...max_values.filter(hasValues)]
  const isBytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY'
  const source = isBytes ? ByteArrays.ofParts(values as readonly Uint8Array[]) : values
  const convert: CellConversion = leaf.conversion!
  return values.map((_, i) => convert(source as never, i))
}

function readerOf(bytes: Uint8Array): { view: DataView; offset: number } {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 }
}
