import { assert } from '../core/assert.ts'
import type { Clock, ObjectStore, Random } from '../core/ports.ts'
import { field, type StructType, struct } from '../schemas/delta-types.ts'
import type { ChangeRows } from './change-rows.ts'
import { DATA_FILE, dataFilePath } from './data-file.ts'
import { type Action, type AddFile, removeOf } from './delta/actions.ts'
import { deletionVectorFileName, describeVector, encodeDeletionVectorFile } from './delta/deletion-vector.ts'
import { RowSet } from './delta/row-set.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { encodeStatistics, numRecordsOf, widenBounds } from './delta/statistics.ts'
import { isSet, statisticsColumns } from './delta/table-properties.ts'
import { FileSet, type RowGroup, type RowInGroup } from './file-set.ts'
import type { FileOrdinals } from './locator/file-ordinals.ts'
import type { Place } from './locator/hash-table.ts'
import { ObjectPuts } from './object-puts.ts'
import { encodeParquet } from './parquet/encode-parquet.ts'
import type { TableReader } from './table/table-reader.ts'
import type { BatchPlan } from './table-mode.ts'

/** The objects of one batch are in the store, and nothing of it is visible yet. */
export interface StagedBatch {
  /** `add`, `remove` and `cdc` of the commit. */
  readonly actions: readonly Action[]
  /** Where row i of the plan stands. */
  readonly placeOf: (row: number) => Place
  /** Rows that were carried over from a rewritten file. */
  readonly carried: readonly CarriedRow[]
  /** Milliseconds of the staging that were spent waiting for the store. */
  readonly putMs: number
}

export interface CarriedRow {
  readonly from: Place
  readonly to: Place
}

/** What a batch is staged against. */
export interface StageContext {
  readonly snapshot: TableSnapshot | null
  readonly schema: StructType
  /** Names of the stored partition columns. */
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  readonly files: FileOrdinals
  readonly reader: TableReader
  /** `merge: at-once`: a file with deleted rows is written anew instead of getting a deletion vector. */
  readonly rewritesFiles: boolean
}

/** Writes the objects of a batch: data files, one file of deletion vectors, change files. */
export class Stager {
  readonly #puts: ObjectPuts
  readonly #clock: Clock
  readonly #random: Random

  constructor(store: ObjectStore, tablePath: string, clock: Clock, random: Random) {
    this.#puts = new ObjectPuts(store, tablePath, clock)
    this.#clock = clock
    this.#random = random
  }

  async stage(plan: BatchPlan, context: StageContext): Promise<StagedBatch> {
    const { result, waitedMs } = await this.#puts.during(() => this.#stage(plan, context))
    return { ...result, putMs: waitedMs }
  }

  async #stage(plan: BatchPlan, context: StageContext): Promise<Omit<StagedBatch, 'putMs'>> {
    const files = new FileSet(context.schema, context.partitionColumns, plan.rows.length)
    for (const row of plan.rows) files.add(row)
    const actions: Action[] = []
    const carried = context.rewritesFiles
      ? await this.#rewrite(plan.deleted, context, files, actions)
      : await this.#deleteRows(plan, context, actions)
    const ordinals = await this.#writeData(files, context, actions)
    if (plan.changes !== null) await this.#writeChanges(plan.changes, context, actions)
    const toPlace = ({ group, row }: RowInGroup): Place => ({ file: ordinals.get(group)!, row })
    return {
      actions,
      placeOf: (row) => toPlace(files.at(row)),
      carried: carried.map(({ from, to }) => ({ from, to: toPlace(to) })),
    }
  }

  /** Writes the live rows of files anew, in the context's schema; no row changes. */
  async rewriteFiles(old: readonly AddFile[], context: StageContext): Promise<Action[]> {
    const files = new FileSet(context.schema, context.partitionColumns)
    for (const file of old) {
      for await (const { cells } of context.reader.liveRows(file, context.schema)) files.add(cells)
    }
    const actions: Action[] = []
    await this.#puts.during(() => this.#writeData(files, context, actions))
    return actions.map((action) => ({ ...action, dataChange: false }))
  }

  async #writeData(files: FileSet, context: StageContext, actions: Action[]): Promise<Map<RowGroup, number>> {
    const ordinals = new Map<RowGroup, number>()
    const columns = statisticsColumns(context.configuration)
    for (const group of files.groups()) {
      const { bytes, rowCount, statistics } = encodeParquet(group.columns(), DATA_FILE)
      const path = dataFilePath(this.#random.uuid())
      await this.#puts.begin('data.put', path, bytes)
      ordinals.set(group, context.files.ordinalOf(path))
      actions.push({
        kind: 'add',
        path,
        partitionValues: group.partitionValues,
        size: bytes.length,
        modificationTime: this.#clock.nowMs(),
        dataChange: true,
        stats: encodeStatistics(rowCount, statistics, columns),
      })
    }
    return ordinals
  }

  /**
   * Deletion vectors: what a file had and what it gets now, in one file for the whole commit (delta-protocol §5).
   *
   * A file without a live row is removed, unless it had a vector and the feed of the commit is derived: of such a removal
   * delta-rs 1.6.6 tells the rows that were gone before, and not those that go now. It stays with all of its rows in
   * its vector, and merging drops it.
   */
  async #deleteRows(
    { deleted, changes }: BatchPlan,
    context: StageContext,
    actions: Action[],
  ): Promise<never[]> {
    const isFeedDerived = changes === null && isSet(context.configuration, 'delta.enableChangeDataFeed')
    const vectors: { readonly file: AddFile; readonly rows: RowSet }[] = []
    for (const [ordinal, rows] of deleted) {
      const file = liveFile(context, ordinal)
      const before = await context.reader.deletedRows(file)
      const now = before === null ? RowSet.of(rows) : before.union(RowSet.of(rows))
      assert(now.size === (before?.size ?? 0) + rows.length, 'a row is deleted twice')
      const isRemoved = now.size === numRecordsOf(file.stats) && !(before !== null && isFeedDerived)
      if (isRemoved) actions.push(removeOf(file, this.#clock.nowMs(), true))
      else vectors.push({ file, rows: now })
    }
    if (vectors.length === 0) return []

    const uuid = this.#random.uuid()
    const { bytes, places } = encodeDeletionVectorFile(vectors.map(({ rows }) => rows))
    await this.#puts.begin('dv.put', deletionVectorFileName(uuid), bytes)
    vectors.forEach(({ file, rows }, i) => {
      const deletionVector = describeVector(uuid, places[i]!)
      const stats = file.stats === undefined ? undefined : widenBounds(file.stats)
      actions.push(removeOf(file, this.#clock.nowMs(), true), {
        ...file,
        dataChange: true,
        stats,
        deletionVector,
      })
      context.reader.rememberDeleted(file.path, deletionVector, rows)
    })
    return []
  }

  /** Copy-on-write: what stays of a file with deleted rows goes into the batch's own files. */
  async #rewrite(
    deleted: BatchPlan['deleted'],
    context: StageContext,
    files: FileSet,
    actions: Action[],
  ): Promise<{ from: Place; to: RowInGroup }[]> {
    const carried: { from: Place; to: RowInGroup }[] = []
    for (const [ordinal, rows] of deleted) {
      const file = liveFile(context, ordinal)
      const gone = RowSet.of(rows)
      for await (const { row, cells } of context.reader.liveRows(file, context.schema)) {
        if (!gone.has(row)) carried.push({ from: { file: ordinal, row }, to: files.at(files.add(cells)) })
      }
      actions.push(removeOf(file, this.#clock.nowMs(), true))
    }
    return carried
  }

  async #writeChanges({ rows, types }: ChangeRows, context: StageContext, actions: Action[]): Promise<void> {
    const schema = struct([...context.schema.fields, field('_change_type', 'string')])
    const files = new FileSet(schema, context.partitionColumns, rows.length)
    for (let i = 0; i < rows.length; i++) files.add(rows[i]!, types[i]!)
    for (const group of files.groups()) {
      const { bytes } = encodeParquet(group.columns(), DATA_FILE)
      const path = `_change_data/cdc-00000-${this.#random.uuid()}.c000.snappy.parquet`
      await this.#puts.begin('cdc.put', path, bytes)
      actions.push({ kind: 'cdc', path, partitionValues: group.partitionValues, size: bytes.length })
    }
  }
}

/** What was carried over from a rewritten file stands in another one, whole partitions at a time. */
export function redirectCarried({ carried }: StagedBatch, files: FileOrdinals): void {
  const rowsOf = new Map<number, { readonly to: number; readonly rows: number[] }>()
  for (const { from, to } of carried) {
    const redirect = rowsOf.get(from.file) ?? { to: to.file, rows: [] }
    rowsOf.set(from.file, redirect)
    while (redirect.rows.length < from.row) redirect.rows.push(-1)
    redirect.rows.push(to.row)
  }
  for (const [from, { to, rows }] of rowsOf) files.redirect(from, to, Int32Array.from(rows))
}

function liveFile(context: StageContext, ordinal: number): AddFile {
  const file = context.snapshot?.files.get(context.files.pathOf(ordinal))
  assert(file !== undefined, 'rows are deleted from a file that is not live')
  return file
}
