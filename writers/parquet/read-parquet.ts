import {
  type FileMetaData,
  parquetMetadata,
  parquetSchema,
  readOffsetIndex,
  type SchemaTree,
} from 'hyparquet'
import { assert } from '../../core/assert.ts'
import { EngineError, messageOf } from '../../core/errors.ts'
import type { Cell, StructType } from '../../schemas/delta-types.ts'
import { type ByteRange, type ByteSource, readExactly, readRanges } from './byte-source.ts'
import { type ColumnMetadata, type DecodedPage, PageDecoder } from './decode-pages.ts'
import type { FooterOptions } from './file-footer.ts'
import { flatCells, type LeafEntries, type RowSelection, selectEntries } from './leaf-entries.ts'
import { readCell } from './read-cell.ts'
import { type LeafSource, type ReadNode, resolveColumns } from './read-tree.ts'
import type { PagesInTurn, StoredColumn } from './stored-column.ts'
import { unreadable } from './unreadable.ts'
import { isWrittenAs, type WholeRowGroup, wholeChunk } from './whole-row-group.ts'

/** Some rows of a file, as columns. */
export interface ParquetBatch {
  /** Row of the file that the batch begins with. */
  readonly startRow: number
  readonly rowCount: number
  /** `columns[field][row]`, in the order of the requested fields. */
  readonly columns: readonly (readonly Cell[])[]
}

/** Rows of a row group in the form in which the file stores them. */
export interface StoredBatch {
  /** Row of the file that the batch begins with. */
  readonly startRow: number
  readonly rowCount: number
  /** In the order of the requested fields; `null`: the file does not have the column. */
  readonly columns: readonly (StoredColumn | null)[]
  /** The row group as it lies in the file; `null`: a file that we write with these options would not have it so. */
  whole(options: FooterOptions): Promise<WholeRowGroup | null>
}

export interface ParquetReader {
  readonly rowCount: number
  /**
   * The columns of `schema`, found by name; one that the file does not have is null in every row. One batch a row group,
   * or several where the file's page index lets them be read apart.
   *
   * @param range rows of the file, `end` not included; default: all
   * @param rowsMax of a batch; default: the whole row group
   * @throws EngineError `E_PARQUET_TYPE` when a column cannot be read as asked, `E_PARQUET_UNREADABLE` when the file is
   * damaged
   */
  batches(
    schema: StructType,
    range?: { start: number; end: number },
    rowsMax?: number,
  ): AsyncIterable<ParquetBatch>
  /**
   * All row groups, of columns that are not nested, without making a cell of any value. Of a row group the pages are held
   * as they lie in the file, and a page of each column is taken apart at a time.
   */
  storedBatches(schema: StructType): AsyncIterable<StoredBatch>
  /**
   * Single rows, in the order asked. With an offset index only the pages that hold them are read.
   *
   * @param rowNumbers rows of the file, ascending, no repeats
   */
  rows(schema: StructType, rowNumbers: readonly number[]): Promise<readonly (readonly Cell[])[]>
}

/** The end of the file that is read first; most footers are in it. */
const TAIL_BYTES = 1 << 16

/** @throws EngineError `E_PARQUET_UNREADABLE` when the file is not Parquet or is damaged */
export async function openParquet(source: ByteSource): Promise<ParquetReader> {
  const size = source.sizeBytes
  let footer = await readExactly(source, { start: Math.max(0, size - TAIL_BYTES), end: size })
  if (footer.length < 12) throw unreadable(`it has only ${footer.length} bytes`)
  const view = new DataView(footer.buffer, footer.byteOffset, footer.length)
  const footerBytes = view.getUint32(footer.length - 8, true) + 8
  if (footerBytes > footer.length && footerBytes <= size) {
    footer = await readExactly(source, { start: size - footerBytes, end: size })
  }
  return new FileReader(
    source,
    guarded(() => parquetMetadata(footer, { parsers: NO_PARSERS, geoparquet: false })),
  )
}

/** hyparquet converts the bounds of each chunk; we do not look at them. */
const NO_PARSERS = {
  timestampFromMilliseconds: () => undefined,
  timestampFromMicroseconds: () => undefined,
  timestampFromNanoseconds: () => undefined,
  dateFromDays: () => undefined,
  stringFromBytes: () => undefined,
  uuidFromBytes: () => undefined,
}

type RowGroup = FileMetaData['row_groups'][number]

interface Group {
  readonly rowGroup: RowGroup
  readonly startRow: number
  readonly endRow: number
}

class FileReader implements ParquetReader {
  readonly rowCount: number
  private readonly source: ByteSource
  private readonly metadata: FileMetaData
  private readonly root: SchemaTree
  private readonly groups: readonly Group[]

  constructor(source: ByteSource, metadata: FileMetaData) {
    this.source = source
    this.metadata = metadata
    this.root = parquetSchema(metadata)
    const groups: Group[] = []
    let row = 0
    for (const rowGroup of metadata.row_groups) {
      groups.push({ rowGroup, startRow: row, endRow: row + Number(rowGroup.num_rows) })
      row += Number(rowGroup.num_rows)
    }
    this.groups = groups
    this.rowCount = row
  }

  async *batches(
    schema: StructType,
    range = { start: 0, end: this.rowCount },
    rowsMax = Number.MAX_SAFE_INTEGER,
  ): AsyncIterable<ParquetBatch> {
    const nodes = resolveColumns(schema, this.root)
    const leaves = nodes.flatMap((node) => (node.kind === 'absent' ? [] : node.leaves))
    for (const group of this.groups) {
      const end = Math.min(range.end, group.endRow)
      const isIndexed = leaves.every((leaf) => offsetIndexRange(group.rowGroup, leaf) !== null)
      const step = isIndexed ? rowsMax : group.endRow - group.startRow
      for (let startRow = Math.max(range.start, group.startRow); startRow < end; startRow += step) {
        const rowCount = Math.min(step, end - startRow)
        const isWhole = rowCount === group.endRow - group.startRow
        const rows = isWhole
          ? null
          : Int32Array.from({ length: rowCount }, (_, i) => startRow - group.startRow + i)
        yield { startRow, rowCount, columns: await this.readColumns(nodes, group, rows, rowCount) }
      }
    }
  }

  async *storedBatches(schema: StructType): AsyncIterable<StoredBatch> {
    const nodes = resolveColumns(schema, this.root)
    const leaves = nodes.flatMap((node) => (node.kind === 'leaf' ? node.leaves : []))
    for (const group of this.groups) {
      const chunks = leaves.map((leaf) => chunkRange(columnMetadata(group.rowGroup, leaf)))
      const bytes = await readRanges(this.source, chunks)
      let next = 0
      const columns = nodes.map((node): StoredColumn | null => {
        if (node.kind !== 'leaf') return null
        const [leaf] = node.leaves
        return { leaf, pages: pagesInTurn(leaf, columnMetadata(group.rowGroup, leaf), bytes[next++]!) }
      })
      const rowCount = group.endRow - group.startRow
      const whole = async (options: FooterOptions) => {
        const isAlike = isWrittenAs(this.metadata, schema, options)
        return isAlike ? this.wholeRowGroup(group.rowGroup, leaves, bytes) : null
      }
      yield { startRow: group.startRow, rowCount, columns, whole }
    }
  }

  /** @param chunks of each leaf its bytes */
  private async wholeRowGroup(
    rowGroup: RowGroup,
    leaves: readonly LeafSource[],
    chunks: readonly Uint8Array[],
  ): Promise<WholeRowGroup | null> {
    const ranges = leaves.map((leaf) => [columnIndexRange(rowGroup, leaf), offsetIndexRange(rowGroup, leaf)])
    const known = ranges.flat().filter((range) => range !== null)
    if (known.length < 2 * leaves.length) return null
    const indexes = await readRanges(this.source, known)
    const wholeChunks = leaves.map((leaf, i) => {
      const metadata = columnMetadata(rowGroup, leaf)
      const index = { column: indexes[2 * i]!, offset: indexes[2 * i + 1]! }
      return guarded(() => wholeChunk(leaf, metadata, chunkRange(metadata).start, chunks[i]!, index))
    })
    return { rowCount: Number(rowGroup.num_rows), chunks: wholeChunks }
  }

  async rows(schema: StructType, rowNumbers: readonly number[]): Promise<readonly (readonly Cell[])[]> {
    const nodes = resolveColumns(schema, this.root)
    const found = await Promise.all(
      this.rowsByGroup(rowNumbers).map(async ({ group, rows }) => {
        const columns = await this.readColumns(nodes, group, rows, rows.length)
        return rows.map((_, i) => columns.map((column) => column[i]!))
      }),
    )
    return found.flat()
  }

  /** Row numbers of the file as row numbers of its row groups. */
  private rowsByGroup(rowNumbers: readonly number[]): readonly { group: Group; rows: readonly number[] }[] {
    let next = 0
    const byGroup = this.groups.map((group) => {
      const rows: number[] = []
      for (; next < rowNumbers.length && rowNumbers[next]! < group.endRow; next++) {
        const row = rowNumbers[next]!
        assert(row >= group.startRow && row > (rowNumbers[next - 1] ?? -1), 'row numbers are not ascending')
        rows.push(row - group.startRow)
      }
      return { group, rows }
    })
    assert(next === rowNumbers.length, `row ${rowNumbers[next]} is not in a file of ${this.rowCount} rows`)
    return byGroup.filter(({ rows }) => rows.length > 0)
  }

  private async readColumns(
    nodes: readonly ReadNode[],
    group: Group,
    rows: RowSelection,
    rowCount: number,
  ): Promise<readonly (readonly Cell[])[]> {
    const leaves = nodes.flatMap((node) => (node.kind === 'absent' ? [] : node.leaves))
    const pagesOf = await this.readPages(leaves, group, rows)
    return nodes.map((node) => guarded(() => columnCells(node, pagesOf, rows, rowCount)))
  }

  /** Fetches and decodes the pages of several leaves that hold the selected rows. */
  private async readPages(
    leaves: readonly LeafSource[],
    group: Group,
    rows: RowSelection,
  ): Promise<ReadonlyMap<LeafSource, readonly DecodedPage[]>> {
    const pieces = await this.piecesOf(leaves, group, rows)
    const bytes = await readRanges(this.source, pieces)
    const pagesOf = new Map<LeafSource, DecodedPage[]>()
    const decoders = new Map<LeafSource, PageDecoder>()
    pieces.forEach(({ leaf, firstRow }, i) => {
      const decoder = decoders.get(leaf) ?? new PageDecoder(leaf, columnMetadata(group.rowGroup, leaf))
      decoders.set(leaf, decoder)
      const pages = guarded(() => [...decoder.decode(bytes[i]!, firstRow)])
      pagesOf.set(leaf, [...(pagesOf.get(leaf) ?? []), ...pages])
    })
    return pagesOf
  }

  private async piecesOf(
    leaves: readonly LeafSource[],
    { rowGroup }: Group,
    rows: RowSelection,
  ): Promise<readonly Piece[]> {
    const indexed = rows === null ? [] : leaves.filter((leaf) => offsetIndexRange(rowGroup, leaf) !== null)
    const indexes = await readRanges(
      this.source,
      indexed.map((leaf) => offsetIndexRange(rowGroup, leaf)!),
    )
    return leaves.flatMap((leaf): readonly Piece[] => {
      const chunk = chunkRange(columnMetadata(rowGroup, leaf))
      const index = indexes[indexed.indexOf(leaf)]
      if (index === undefined || rows === null) return [{ leaf, ...chunk, firstRow: null }]
      return guarded(() => selectPieces(leaf, chunk, index, rows))
    })
  }
}

/** A run of whole pages of one leaf. */
interface Piece extends ByteRange {
  readonly leaf: LeafSource
  readonly firstRow: number | null
}

/** The pages that an offset index says hold the rows, and the dictionary page if there is one. */
function selectPieces(
  leaf: LeafSource,
  chunk: ByteRange,
  index: Uint8Array,
  rows: ArrayLike<number>,
): Piece[] {
  const view = new DataView(index.buffer, index.byteOffset, index.length)
  const locations = readOffsetIndex({ view, offset: 0 }).page_locations
  const firstPage = Number(locations[0]?.offset ?? chunk.start)
  const pieces: Piece[] =
    firstPage > chunk.start ? [{ leaf, start: chunk.start, end: firstPage, firstRow: null }] : []
  let next = 0
  locations.forEach((location, i) => {
    const firstRow = Number(location.first_row_index)
    const endRow = Number(locations[i + 1]?.first_row_index ?? Number.MAX_SAFE_INTEGER)
    if (next >= rows.length || rows[next]! >= endRow) return
    while (next < rows.length && rows[next]! < endRow) next++
    const start = Number(location.offset)
    pieces.push({ leaf, start, end: start + location.compressed_page_size, firstRow })
  })
  return pieces
}

function columnCells(
  node: ReadNode,
  pagesOf: ReadonlyMap<LeafSource, readonly DecodedPage[]>,
  rows: RowSelection,
  rowCount: number,
): readonly Cell[] {
  if (node.kind === 'absent') return new Array<Cell>(rowCount).fill(null)
  if (node.kind === 'leaf') return flatCells(node.leaves[0], pagesOf.get(node.leaves[0])!, rows)
  const entriesOf = new Map<LeafSource, LeafEntries>()
  for (const leaf of node.leaves) entriesOf.set(leaf, selectEntries(leaf, pagesOf.get(leaf)!, rows))
  const cells: Cell[] = []
  for (let i = 0; i < rowCount; i++) cells.push(readCell(node, entriesOf))
  return cells
}

/** The pages of a whole column chunk, each taken apart when it is its turn. */
function pagesInTurn(leaf: LeafSource, metadata: ColumnMetadata, bytes: Uint8Array): PagesInTurn {
  const pages = new PageDecoder(leaf, metadata).decode(bytes, null)
  return { next: () => guarded(() => pages.next().value ?? null) }
}

function columnMetadata(rowGroup: RowGroup, leaf: LeafSource): ColumnMetadata {
  const metadata = rowGroup.columns[leaf.ordinal]?.meta_data
  if (metadata === undefined)
    throw unreadable(`a row group does not describe the column ${leaf.element.name}`)
  return metadata
}

function chunkRange(metadata: ColumnMetadata): ByteRange {
  const start = Number(metadata.dictionary_page_offset || metadata.data_page_offset)
  return { start, end: start + Number(metadata.total_compressed_size) }
}

function columnIndexRange(rowGroup: RowGroup, leaf: LeafSource): ByteRange | null {
  const chunk = rowGroup.columns[leaf.ordinal]
  return indexRange(chunk?.column_index_offset, chunk?.column_index_length)
}

function offsetIndexRange(rowGroup: RowGroup, leaf: LeafSource): ByteRange | null {
  const chunk = rowGroup.columns[leaf.ordinal]
  return indexRange(chunk?.offset_index_offset, chunk?.offset_index_length)
}

function indexRange(offset: bigint | undefined, length: number | undefined): ByteRange | null {
  return offset && length ? { start: Number(offset), end: Number(offset) + length } : null
}

/** hyparquet tells of a damaged file by whatever its reading runs into. */
function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof EngineError ? error : unreadable(messageOf(error), error)
  }
}
