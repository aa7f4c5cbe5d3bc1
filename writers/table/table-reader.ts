import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import { type Cell, type StructType, struct } from '../../schemas/delta-types.ts'
import { partitionCell } from '../../schemas/partition-value.ts'
import type { AddFile } from '../delta/actions.ts'
import { readDeletionVector } from '../delta/deletion-vector.ts'
import type { DeletionVectorDescriptor } from '../delta/dv-descriptor.ts'
import { objectPath } from '../delta/file-path.ts'
import type { RowSet } from '../delta/row-set.ts'
import { openParquet, type ParquetReader, type StoredBatch } from '../parquet/read-parquet.ts'
import { HeldVectors } from './held-vectors.ts'

/** Footers kept open; a footer of a file with many columns is some tens of kilobytes. */
const OPEN_FILES_MAX = 64

/** What of an action tells where rows are: an `add` has it, and so have `remove` and `cdc` once their gaps are filled. */
export type RowFile = Pick<AddFile, 'path' | 'partitionValues' | 'size' | 'deletionVector'>

/** Consecutive rows of one file, column by column; deleted ones are among them. */
export interface RowBlock {
  /** Number in the file of the block's first row. */
  readonly startRow: number
  readonly rowCount: number
  /** By field of the schema that was asked for. */
  readonly columns: readonly (readonly Cell[])[]
  /** Rows of the file (not of the block) that are deleted; `null` when none is. */
  readonly deleted: RowSet | null
}

/** Reads rows of one table's data files, whoever wrote them. */
export class TableReader {
  readonly #store: ObjectStore
  readonly #tablePath: string
  readonly #open = new Map<string, ParquetReader>()
  readonly #vectors = new HeldVectors()

  constructor(store: ObjectStore, tablePath: string) {
    this.#store = store
    this.#tablePath = tablePath
  }

  /** All rows of a file in order, a row group at a time, or fewer where a file lets itself be read so. */
  async *scan(file: RowFile, schema: StructType, rowsMax?: number): AsyncGenerator<RowBlock> {
    const deleted = await this.deletedRows(file)
    const reader = await this.#reader(file)
    const { stored, constant } = splitPartitionColumns(file, schema)
    for await (const batch of reader.batches(stored, undefined, rowsMax)) {
      let next = 0
      const columns = schema.fields.map((_, i) => {
        if (!constant.has(i)) return batch.columns[next++]!
        return new Array<Cell>(batch.rowCount).fill(constant.get(i)!)
      })
      yield { startRow: batch.startRow, rowCount: batch.rowCount, columns, deleted }
    }
  }

  /** Rows of a file as it stores them; `null` when a column is not in files of the table, but told by the log. */
  async storedBatches(file: RowFile, schema: StructType): Promise<AsyncIterable<StoredBatch> | null> {
    if (splitPartitionColumns(file, schema).constant.size > 0) return null
    return (await this.#reader(file)).storedBatches(schema)
  }

  /** Live rows of a file as rows, in order. */
  async *liveRows(
    file: RowFile,
    schema: StructType,
  ): AsyncGenerator<{ readonly row: number; readonly cells: readonly Cell[] }> {
    for await (const block of this.scan(file, schema)) {
      for (let i = 0; i < block.rowCount; i++) {
        const row = block.startRow + i
        if (block.deleted?.has(row)) continue
        yield { row, cells: block.columns.map((column) => column[i]!) }
      }
    }
  }

  /** The first live rows of a file, at most `limit`: where the file has a page index, only their pages are read. */
  async firstRows(file: RowFile, schema: StructType, limit: number): Promise<readonly (readonly Cell[])[]> {
    const deleted = await this.deletedRows(file)
    const { rowCount } = await this.#reader(file)
    const live: number[] = []
    for (let row = 0; row < rowCount && live.length < limit; row++) if (!deleted?.has(row)) live.push(row)
    return this.rows(file, schema, live)
  }

  /**
   * Single rows by number, through the page index where the file has one.
   *
   * @param rows ascending, no repeats
   */
  async rows(
    file: RowFile,
    schema: StructType,
    rows: readonly number[],
  ): Promise<readonly (readonly Cell[])[]> {
    const reader = await this.#reader(file)
    const { stored, constant } = splitPartitionColumns(file, schema)
    const found = await reader.rows(stored, rows)
    if (constant.size === 0) return found
    return found.map((cells) => {
      let next = 0
      return schema.fields.map((_, i) => (constant.has(i) ? constant.get(i)! : cells[next++]!))
    })
  }

  /** Rows of the file that are deleted; `null` when none is. */
  async deletedRows(file: RowFile): Promise<RowSet | null> {
    const vector = file.deletionVector
    if (vector === undefined) return null
    const held = this.#vectors.get(file.path, vector)
    if (held !== null) return held
    const rows = await readDeletionVector(this.#store, this.#tablePath, vector)
    this.#vectors.set(file.path, vector, rows)
    return rows
  }

  /** Keeps a vector of the file at `path` that was just written: the next commit is likely to add to it. */
  rememberDeleted(path: string, vector: DeletionVectorDescriptor, rows: RowSet): void {
    this.#vectors.set(path, vector, rows)
  }

  /** Lets go of what is held of other files. */
  retain(isNeeded: (path: string) => boolean): void {
    this.#vectors.retain(isNeeded)
    for (const path of this.#open.keys()) if (!isNeeded(path)) this.#open.delete(path)
  }

  async #reader(file: RowFile): Promise<ParquetReader> {
    const known = this.#open.get(file.path)
    if (known !== undefined) return known
    const path = objectPath(this.#store, this.#tablePath, file.path)
    const reader = await openParquet({
      sizeBytes: file.size,
      read: async (start, end) => {
        const bytes = await this.#store.getRange('data.get', path, start, end)
        if (bytes === null) throw missing(this.#tablePath, file.path)
        return bytes
      },
    })
    if (this.#open.size >= OPEN_FILES_MAX) this.#open.delete(this.#open.keys().next().value!)
    this.#open.set(file.path, reader)
    return reader
  }
}

/** Values of partition columns stand in the log, not in the file (delta-protocol §8). */
function splitPartitionColumns(
  file: RowFile,
  schema: StructType,
): { readonly stored: StructType; readonly constant: ReadonlyMap<number, Cell> } {
  const constant = new Map<number, Cell>()
  const stored = schema.fields.filter((field, i) => {
    if (!Object.hasOwn(file.partitionValues, field.name)) return true
    constant.set(i, partitionCell(field.type, file.partitionValues[field.name]!))
    return false
  })
  return { stored: constant.size === 0 ? schema : struct(stored), constant }
}

function missing(table: string, path: string): EngineError {
  return new EngineError(
    'E_FILE_MISSING',
    'stop-table',
    `the log names ${path}, which is not there: it was vacuumed or deleted behind the table's back; ` +
      'restore the file, or take the topic in anew into another lake',
    { table },
  )
}
