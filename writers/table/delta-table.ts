import type { ObjectStore } from '../../core/ports.ts'
import type { Cell, StructType } from '../../schemas/delta-types.ts'
import { loadSnapshot } from '../delta/load-snapshot.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { readChanges, type TableChange } from './change-feed.ts'
import { liveRowCount } from './row-count.ts'
import { selectColumns } from './select-columns.ts'
import { TableReader } from './table-reader.ts'

export interface ReadOptions {
  /** Default: all, in the order of the schema. */
  readonly columns?: readonly string[]
  /** Rows at most; what is behind them is not read. */
  readonly limit?: number
}

/**
 * A Delta table at one version, to be read.
 *
 * @example
 * const lake = await openLake('./lake')
 * const table = await DeltaTable.open(lake, 'inventory/orders')
 * for await (const row of table.rows({ columns: ['id'], limit: 10 })) console.log(row)
 * for await (const change of table.changes({ from: 0 })) console.log(change.type, change.cells)
 */
export class DeltaTable {
  /** From the root of the lake. */
  readonly path: string
  readonly snapshot: TableSnapshot
  readonly #store: ObjectStore

  private constructor(store: ObjectStore, path: string, snapshot: TableSnapshot) {
    this.#store = store
    this.path = path
    this.snapshot = snapshot
  }

  /**
   * @param options.version default: the newest
   * @returns `null` when there is no table at the path
   * @throws EngineError `E_NO_SUCH_VERSION` (usage), `E_TABLE_FEATURE` and what a damaged log raises (stop-table)
   */
  static async open(
    store: ObjectStore,
    path: string,
    options: { readonly version?: number } = {},
  ): Promise<DeltaTable | null> {
    const snapshot = await loadSnapshot(store, path, options)
    return snapshot === null ? null : new DeltaTable(store, path, snapshot)
  }

  get version(): number {
    return this.snapshot.version
  }

  /** Columns in the order of the cells of a row. */
  get schema(): StructType {
    return this.snapshot.schema
  }

  /** Live rows, from the log alone. */
  get rowCount(): number {
    return liveRowCount(this.snapshot)
  }

  /**
   * Live rows, in no order that means anything.
   *
   * @throws EngineError `E_NO_COLUMN` (usage)
   */
  async *rows(options: ReadOptions = {}): AsyncGenerator<readonly Cell[]> {
    const schema = this.select(options.columns)
    const reader = new TableReader(this.#store, this.path)
    let left = options.limit ?? null
    for (const file of this.snapshot.files.values()) {
      if (left === 0) return
      if (left === null) {
        for await (const { cells } of reader.liveRows(file, schema)) yield cells
      } else {
        const rows = await reader.firstRows(file, schema, left)
        yield* rows
        left -= rows.length
      }
    }
  }

  /**
   * The change feed from a version on, up to the version this table was opened at.
   *
   * @throws what `readChanges` throws, and `E_NO_COLUMN` (usage)
   */
  changes(options: {
    readonly from: number
    readonly columns?: readonly string[]
  }): AsyncGenerator<TableChange> {
    const { from, columns } = options
    return readChanges(this.#store, this.path, { from, to: this.snapshot, schema: this.select(columns) })
  }

  /** The columns of these names; all when none are given. @throws EngineError `E_NO_COLUMN` (usage) */
  select(columns: readonly string[] | undefined): StructType {
    return columns === undefined ? this.schema : selectColumns(this.schema, columns)
  }
}
