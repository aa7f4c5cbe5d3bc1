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

/** Rows decoded in one step. */
const BLOCK_ROWS = 2000
/** Rows held as columns before they are encoded. */
const GROUP_ROWS = 32_000
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
 * Writes the live rows of some files of one partition into one, in small steps. Holds the file that it writes, some
 * thousands of rows, and 4 bytes for each row that it reads.
 *
 * @throws what the store and `pace` throw
 */
export async function stageMerge(
  files: readonly AddFile[],
  snapshot: TableSnapshot,
  world: MergeWorld,
  pace: Pace,
): Promise<StagedMerge> {
  const merge = new MergeStage(files, snapshot, world, pace)
  const sources: MergedSource[] = []
  for (const file of files) sources.push(await merge.read(file))
  const { schemaString } = snapshot.metadata
  const added = await merge.write(files[0]!)
  return { sources, added, rowCount: merge.rowCount, schemaString }
}

class MergeStage {
  rowCount = 0
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

  constructor(files: readonly AddFile[], snapshot: TableSnapshot, world: MergeWorld, pace: Pace) {
    const { fields } = snapshot.schema
    this.#world = world
    this.#snapshot = snapshot
    this.#pace = pace
    const { partitionColumns } = snapshot.metadata
    this.#stored = fields.map((_, i) => i).filter((i) => !partitionColumns.includes(fields[i]!.name))
    this.#rowsExpected = files.reduce((sum, file) => sum + liveRows(file), 0)
    this.#isFlat = this.#stored.every((i) => isLeafType(fields[i]!.type))
    this.#columns = this.#newColumns()
    const sizeBytes = files.reduce((sum, { size }) => sum + size, 0)
    this.#encoder = new ParquetFileEncoder(
      this.#columns.schema,
      { ...DATA_FILE, rowGroupRows: 2 * GROUP_ROWS },
      sizeBytes,
    )
  }

  /** Of the next row group; blocks are taken whole. */
  get #groupRows(): number {
    return Math.min(this.#rowsExpected - this.rowCount, GROUP_ROWS + BLOCK_ROWS)
  }

  #newColumns(): ColumnSet {
    const stored = struct(this.#stored.map((i) => this.#snapshot.schema.fields[i]!))
    return new ColumnSet(stored, this.#groupRows)
  }

  async read(file: AddFile): Promise<MergedSource> {
    const { reader } = this.#world
    const rows = new Int32Array(numRecordsOf(file.stats)!).fill(-1)
    const deleted = await reader.deletedRows(file)
    if (liveRows(file) > 0) {
      const batches = this.#isFlat ? await reader.storedBatches(file, this.#columns.schema) : null
      const take = batches === null ? this.#copy(file, rows) : this.#carry(batches, deleted, rows)
      for await (const _ of take) {
        if (this.#columns.rowCount >= GROUP_ROWS) await this.#encode()
        await this.#pace.step()
      }
    }
    return { file, deleted, rows }
  }

  /** Takes the rows of a file over as they are stored. A step is a block of them. */
  async *#carry(
    batches: AsyncIterable<StoredBatch>,
    deleted: RowSet | null,
    rows: Int32Array,
  ): AsyncGenerator<void> {
    for await (const batch of batches) {
      if (await this.#takeWhole(batch, deleted, rows)) {
        yield
        continue
      }
      const carriers = batch.columns.map((column) => new ColumnCarrier(column))
      const endRow = batch.startRow + batch.rowCount
      for (let row = batch.startRow; row < endRow; row += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, endRow - row)
        const live = liveAmong(deleted, row, count)
        const { leaves } = this.#columns
        this.#columns.appendByColumn(live.length, (_, i) => carriers[i]!.carry(count, live, leaves[i]!))
        this.#number(live, row, rows)
        yield
      }
    }
  }

  /** Most of what is only ever added to: nothing is taken apart and put together again then. @returns whether it could be */
  async #takeWhole(batch: StoredBatch, deleted: RowSet | null, rows: Int32Array): Promise<boolean> {
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

  /** As `#carry`, cell by cell: where columns are nested. */
  async *#copy(file: AddFile, rows: Int32Array): AsyncGenerator<void> {
    const blocks = this.#world.reader.scan(file, this.#snapshot.schema, BLOCK_ROWS)
    for await (const { startRow, rowCount, columns, deleted } of blocks) {
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

  async write({ partitionValues }: AddFile): Promise<AddFile | null> {
    if (this.rowCount === 0) return null
    if (this.#columns.rowCount > 0) await this.#encode()
    const { store, clock, random, tablePath } = this.#world
    const path = dataFilePath(random.uuid())
    const encoded = this.#encoder.finish()
    assert(
      encoded.rowCount === this.rowCount,
      'a merged file has another number of rows than were read for it',
    )
    await store.put('data.put', joinTablePath(tablePath, path), encoded.bytes)
    const modificationTime = clock.nowMs()
    const stats = this.#statistics(encoded)
    return {
      kind: 'add',
      path,
      partitionValues,
      size: encoded.bytes.length,
      modificationTime,
      dataChange: false,
      stats,
    }
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

function liveRows({ stats, deletionVector }: AddFile): number {
  return numRecordsOf(stats)! - (deletionVector?.cardinality ?? 0)
}
