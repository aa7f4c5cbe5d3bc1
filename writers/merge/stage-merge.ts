import { assert } from '../../core/assert.ts'
import type { Clock, ObjectStore, Random } from '../../core/ports.ts'
import { struct } from '../../schemas/delta-types.ts'
import { DATA_FILE, dataFilePath } from '../data-file.ts'
import type { AddFile } from '../delta/actions.ts'
import { joinTablePath } from '../delta/log-path.ts'
import type { RowSet } from '../delta/row-set.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { encodeStatistics, numRecordsOf } from '../delta/statistics.ts'
import { statisticsColumns } from '../delta/table-properties.ts'
import type { Pace } from '../pace.ts'
import { ColumnCarrier } from '../parquet/carry-column.ts'
import { ColumnSet } from '../parquet/column-set.ts'
import { type EncodedParquet, ParquetFileEncoder } from '../parquet/encode-parquet.ts'
import { isLeafType } from '../parquet/physical-types.ts'
import type { StoredBatch } from '../parquet/read-parquet.ts'
import type { TableReader } from '../table/table-reader.ts'

/** Rows that are taken over in one step, and bytes of the file that they come from, about. */
const BLOCK_ROWS = 2000
const BLOCK_BYTES = 1024 * 1024
/** Rows that are held as columns before they are encoded, and bytes of them. */
const GROUP_ROWS = 32_000
const GROUP_BYTES = 16 * 1024 * 1024
/** A row group of so many rows, none of them deleted, is large enough to stay as it lies. */
const WHOLE_GROUP_ROWS_MIN = GROUP_ROWS / 2

export interface MergeWorld {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly tablePath: string
  readonly reader: TableReader
}

/** A file whose rows are in the merged one. */
export interface MergedSource {
  /** As it was when it was read. */
  readonly file: AddFile
  /** Its deleted rows at that time. */
  readonly deleted: RowSet | null
  /** By row of the file: row of the merged file, -1 for a deleted one. */
  readonly rows: Int32Array
}

/** The merged file is in the store, and nobody knows it yet. */
export interface StagedMerge {
  readonly sources: readonly MergedSource[]
  /** `null`: no row was left. */
  readonly added: AddFile | null
  readonly rowCount: number
  readonly schemaString: string
}

/**
 * Writes the live rows of some files of one partition into one, in small steps. Holds a row group of what it reads and one
 * of what it writes, and 4 bytes for each row that it reads.
 *
 * @throws what the store and `pace` throw
 */
export async function stageMerge(
  files: readonly AddFile[],
  snapshot: TableSnapshot,
  world: MergeWorld,
  pace: Pace,
): Promise<StagedMerge> {
  const sources: MergedSource[] = []
  for (const file of files) {
    const deleted = await world.reader.deletedRows(file)
    sources.push({ file, deleted, rows: new Int32Array(numRecordsOf(file.stats)!).fill(-1) })
  }
  const merge = new MergedFile(sources, snapshot, world, pace)
  const added = files.some((file) => liveRows(file) > 0) ? await merge.write() : null
  return { sources, added, rowCount: merge.rowCount, schemaString: snapshot.metadata.schemaString }
}

class MergedFile {
  rowCount = 0
  readonly #sources: readonly MergedSource[]
  readonly #world: MergeWorld
  readonly #snapshot: TableSnapshot
  readonly #pace: Pace
  /** Partition columns are not stored in files. */
  readonly #stored: readonly number[]
  readonly #rowsExpected: number
  /** No stored column is nested. */
  readonly #isFlat: boolean
  readonly #encoder: ParquetFileEncoder
  #columns: ColumnSet
  /** `null`: there is more to come. */
  #encoded: EncodedParquet | null = null

  constructor(sources: readonly MergedSource[], snapshot: TableSnapshot, world: MergeWorld, pace: Pace) {
    const { fields } = snapshot.schema
    this.#sources = sources
    this.#world = world
    this.#snapshot = snapshot
    this.#pace = pace
    const { partitionColumns } = snapshot.metadata
    this.#stored = fields.map((_, i) => i).filter((i) => !partitionColumns.includes(fields[i]!.name))
    this.#rowsExpected = sources.reduce((sum, { file }) => sum + liveRows(file), 0)
    this.#isFlat = this.#stored.every((i) => isLeafType(fields[i]!.type))
    this.#columns = this.#newColumns()
    this.#encoder = new ParquetFileEncoder(this.#columns.schema, {
      ...DATA_FILE,
      rowGroupRows: 2 * GROUP_ROWS,
    })
  }

  #newColumns(): ColumnSet {
    const stored = struct(this.#stored.map((i) => this.#snapshot.schema.fields[i]!))
    return new ColumnSet(stored, Math.min(this.#rowsExpected - this.rowCount, GROUP_ROWS + BLOCK_ROWS))
  }

  async write(): Promise<AddFile> {
    const { store, clock, random, tablePath } = this.#world
    const path = dataFilePath(random.uuid())
    await store.putParts('data.put', joinTablePath(tablePath, path), this.#parts())
    const encoded = this.#encoded
    assert(
      encoded?.rowCount === this.rowCount,
      'a merged file has another number of rows than were read for it',
    )
    return {
      kind: 'add',
      path,
      partitionValues: this.#sources[0]!.file.partitionValues,
      size: encoded.sizeBytes,
      modificationTime: clock.nowMs(),
      dataChange: false,
      stats: this.#statistics(encoded),
    }
  }

  /** The file, a row group at a time. */
  async *#parts(): AsyncGenerator<Uint8Array> {
    for (const source of this.#sources) {
      for await (const _ of this.#rowsOf(source)) {
        await this.#pace.step()
        const { rowCount, sizeBytesEstimate } = this.#columns
        if (rowCount >= GROUP_ROWS || sizeBytesEstimate >= GROUP_BYTES) await this.#encode()
        const part = this.#encoder.take()
        if (part.length > 0) yield part
      }
    }
    if (this.#columns.rowCount > 0) await this.#encode()
    this.#encoded = this.#encoder.finish()
    yield this.#encoded.bytes
  }

  /** Takes the live rows of a file over. A step is a block of them. */
  async *#rowsOf(source: MergedSource): AsyncGenerator<void> {
    const { file } = source
    if (liveRows(file) === 0) return
    const { reader } = this.#world
    const batches = this.#isFlat ? await reader.storedBatches(file, this.#columns.schema) : null
    yield* batches === null ? this.#copy(source) : this.#carry(batches, source)
  }

  /** As they are stored. */
  async *#carry(batches: AsyncIterable<StoredBatch>, source: MergedSource): AsyncGenerator<void> {
    const { file, deleted, rows } = source
    const blockRows = blockRowsOf(file)
    for await (const batch of batches) {
      if (await this.#takeWhole(batch, source)) {
        yield
        continue
      }
      const carriers = batch.columns.map((column) => new ColumnCarrier(column))
      const endRow = batch.startRow + batch.rowCount
      for (let row = batch.startRow; row < endRow; row += blockRows) {
        const count = Math.min(blockRows, endRow - row)
        const live = liveAmong(deleted, row, count)
        const { leaves } = this.#columns
        this.#columns.appendByColumn(live.length, (_, i) => carriers[i]!.carry(count, live, leaves[i]!))
        this.#number(live, row, rows)
        yield
      }
    }
  }

  /** Most of what is only ever added to: nothing is taken apart and put together again then. @returns whether it could be */
  async #takeWhole(batch: StoredBatch, { deleted, rows }: MergedSource): Promise<boolean> {
    const { startRow, rowCount } = batch
    if (rowCount < WHOLE_GROUP_ROWS_MIN) return false
    const live = liveAmong(deleted, startRow, rowCount)
    const group = live.length === rowCount ? await batch.whole(DATA_FILE) : null
    if (group === null) return false
    if (this.#columns.rowCount > 0) await this.#encode()
    this.#encoder.addWhole(group)
    this.#number(live, startRow, rows)
    return true
  }

  /** Cell by cell: where columns are nested. */
  async *#copy({ file, deleted, rows }: MergedSource): AsyncGenerator<void> {
    const blocks = this.#world.reader.scan(file, this.#snapshot.schema, blockRowsOf(file))
    for await (const { startRow, rowCount, columns } of blocks) {
      const live = liveAmong(deleted, startRow, rowCount)
      this.#columns.appendColumns(
        this.#stored.map((field) => columns[field]!),
        live,
      )
      this.#number(live, startRow, rows)
      yield
    }
  }

  #number(live: Int32Array, startRow: number, rows: Int32Array): void {
    for (const i of live) rows[startRow + i] = this.rowCount++
  }

  async #encode(): Promise<void> {
    for (const _ of this.#encoder.add(this.#columns)) await this.#pace.step()
    this.#columns = this.#newColumns()
  }

  #statistics({ rowCount, statistics }: EncodedParquet): string {
    return encodeStatistics(rowCount, statistics, statisticsColumns(this.#snapshot.metadata.configuration))
  }
}

/** Which of some rows of a file are not deleted, as numbers from 0. */
function liveAmong(deleted: RowSet | null, startRow: number, rowCount: number): Int32Array {
  const live = new Int32Array(rowCount)
  let count = 0
  for (let i = 0; i < rowCount; i++) if (deleted?.has(startRow + i) !== true) live[count++] = i
  return live.subarray(0, count)
}

/** Wide rows are taken over few at a time. */
function blockRowsOf({ size, stats }: AddFile): number {
  const rowBytes = size / numRecordsOf(stats)!
  return Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / rowBytes)))
}

function liveRows({ stats, deletionVector }: AddFile): number {
  return numRecordsOf(stats)! - (deletionVector?.cardinality ?? 0)
}
