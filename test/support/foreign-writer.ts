import type { Cell } from '../../schemas/delta-types.ts'
import { type Action, type AddFile, removeOf } from '../../writers/delta/actions.ts'
import {
  deletionVectorFileName,
  describeVector,
  encodeDeletionVectorFile,
} from '../../writers/delta/deletion-vector.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { writeCommit } from '../../writers/delta/log-entry.ts'
import { commitPath } from '../../writers/delta/log-path.ts'
import { RowSet } from '../../writers/delta/row-set.ts'
import type { TableSnapshot } from '../../writers/delta/snapshot.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import { encodeParquet } from '../../writers/parquet/encode-parquet.ts'
import { TableReader } from '../../writers/table/table-reader.ts'
import type { MemoryStore } from './memory-store.ts'
import { readRows, type StoredRow, TABLE_PATH } from './test-table.ts'

/** Another program that writes our table, by the rules: it sees the newest version and commits the next one at once. */
export class ForeignWriter {
  readonly #store: MemoryStore
  readonly #tablePath: string
  #files = 0

  constructor(store: MemoryStore, tablePath = TABLE_PATH) {
    this.#store = store
    this.#tablePath = tablePath
  }

  /** INSERT; columns that are not named are null. */
  async insert(...rows: readonly StoredRow[]): Promise<void> {
    await this.commit(async (snapshot) => [this.#file(rows, snapshot, true)])
  }

  /** DELETE by deletion vectors. */
  async deleteWhere(isGone: (row: StoredRow) => boolean): Promise<void> {
    await this.commit(async (snapshot) => {
      const actions: Action[] = []
      for (const file of snapshot.files.values()) {
        const gone = await this.#rowsWhere(file, snapshot, isGone)
        if (gone.length > 0) actions.push(...(await this.#withDeleted(file, gone)))
      }
      return actions
    })
  }

  /** DELETE of whole files, as a partition delete does it. */
  async dropFilesWith(isGone: (row: StoredRow) => boolean): Promise<void> {
    await this.commit(async (snapshot) => {
      const actions: Action[] = []
      for (const file of snapshot.files.values()) {
        if ((await this.#rowsWhere(file, snapshot, isGone)).length > 0) actions.push(removeOf(file, 1, true))
      }
      return actions
    })
  }

  /** OPTIMIZE: all rows into one new file, no row changed. */
  async optimize(): Promise<void> {
    await this.commit(async (snapshot) => {
      const rows = await readRows(this.#store, snapshot, this.#tablePath)
      const removed = [...snapshot.files.values()].map((file) => removeOf(file, 1, false))
      return [...removed, this.#file(rows.reverse(), snapshot, false)]
    })
  }

  /** ALTER TABLE SET TBLPROPERTIES. */
  async setProperty(name: string, value: string): Promise<void> {
    await this.commit(async ({ metadata }) => [
      { ...metadata, configuration: { ...metadata.configuration, [name]: value } },
    ])
  }

  async moveTxn(appId: string, version: bigint): Promise<void> {
    await this.commit(async () => [{ kind: 'txn', appId, version }])
  }

  async commit(actionsFor: (snapshot: TableSnapshot) => Promise<readonly Action[]>): Promise<void> {
    for (;;) {
      const snapshot = (await loadSnapshot(this.#store, this.#tablePath))!
      const version = snapshot.version + 1
      const info: Action = { kind: 'commitInfo', engineInfo: 'stranger', txnId: `stranger-${version}` }
      const entry = writeCommit([info, ...(await actionsFor(snapshot))])
      const path = commitPath(this.#tablePath, version)
      if (!this.#store.objects.has(path)) return this.#store.seed(path, entry)
    }
  }

  #file(rows: readonly StoredRow[], { schema }: TableSnapshot, dataChange: boolean): AddFile {
    const columns = new ColumnSet(schema)
    for (const row of rows) columns.append(schema.fields.map(({ name }): Cell => row[name] ?? null))
    const { bytes } = encodeParquet(columns, PARQUET)
    const path = `stranger-${++this.#files}.parquet`
    this.#store.seed(`${this.#tablePath}/${path}`, bytes)
    const stats = JSON.stringify({ numRecords: rows.length })
    return {
      kind: 'add',
      path,
      partitionValues: {},
      size: bytes.length,
      modificationTime: 1,
      dataChange,
      stats,
    }
  }

  async #rowsWhere(
    file: AddFile,
    { schema }: TableSnapshot,
    isGone: (row: StoredRow) => boolean,
  ): Promise<number[]> {
    const found: number[] = []
    for await (const { row, cells } of new TableReader(this.#store, this.#tablePath).liveRows(file, schema)) {
      if (isGone(Object.fromEntries(schema.fields.map(({ name }, i) => [name, cells[i]!])))) found.push(row)
    }
    return found
  }

  async #withDeleted(file: AddFile, gone: readonly number[]): Promise<Action[]> {
    const had = await new TableReader(this.#store, this.#tablePath).deletedRows(file)
    const rows = had === null ? RowSet.of(gone) : had.union(RowSet.of(gone))
    const uuid = `00000000-0000-4000-8000-${String(++this.#files).padStart(12, '0')}`
    const { bytes, places } = encodeDeletionVectorFile([rows])
    this.#store.seed(`${this.#tablePath}/${deletionVectorFileName(uuid)}`, bytes)
    const deletionVector = describeVector(uuid, places[0]!)
    return [removeOf(file, 1, true), { ...file, dataChange: true, deletionVector }]
  }
}

const PARQUET = {
  codec: 'uncompressed',
  pageRows: 1000,
  rowGroupRows: 1000,
  pageIndex: false,
  createdBy: 'stranger',
} as const
