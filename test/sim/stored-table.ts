import { field, type StructType, struct } from '../../schemas/delta-types.ts'
import { readDeletionVector } from '../../writers/delta/deletion-vector.ts'
import type { RowSet } from '../../writers/delta/row-set.ts'
import { parseSchemaString } from '../../writers/delta/schema-string.ts'
import { TableReader } from '../../writers/table/table-reader.ts'
import { type FileEntry, identityOf, type LogEntry } from './log-replay.ts'
import { expectSame, expectThat } from './sim-failure.ts'
import type { SimLake } from './sim-lake.ts'
import { rowText } from './table-truth.ts'

/** One stored row, in texts that can be compared. */
export interface StoredRow {
  /** Columns of the source, and `_cdc_op`. */
  readonly data: string
  /** All columns. */
  readonly whole: string
  /** All but what tells of the transaction beside the position. */
  readonly known: string
  /** `_cdc_deleted`: it is there for those who want to see it. */
  readonly isMarkedDeleted: boolean
  readonly changeType: string | null
  readonly cells: Readonly<Record<string, unknown>>
}

/** What lies under one path: the live files and their rows, followed entry by entry. */
export class StoredTable {
  readonly path: string
  readonly txns = new Map<string, number>()
  readonly #lake: SimLake
  readonly #reader: TableReader
  readonly #files = new Map<string, FileEntry>()
  readonly #everAdded = new Set<string>()
  /** Files never change, so each is read once. */
  readonly #rowsOf = new Map<string, readonly StoredRow[]>()
  readonly #vectors = new Map<string, RowSet>()
  #schema: StructType = struct([])

  constructor(lake: SimLake, path: string) {
    this.#lake = lake
    this.#reader = new TableReader(lake, path)
    this.path = path
  }

  /** Moves on by one entry, and looks whether it is a legal one. */
  apply(entry: LogEntry, where: string): void {
    if (entry.schemaString !== null) this.#schema = parseSchemaString(entry.schemaString)
    expectSame(`${where}: files that are added, then removed`, entry.removedLate, [])
    const removed = new Set<string>()
    for (const remove of entry.removes) {
      expectThat(this.#files.has(remove.path), `${where}: removes ${remove.path}, which is not there`)
      expectThat(!removed.has(remove.path), `${where}: removes ${remove.path} twice`)
      removed.add(remove.path)
      this.#files.delete(remove.path)
    }
    for (const add of entry.adds) {
      expectThat(!this.#files.has(add.path), `${where}: adds ${add.path}, which is there`)
      const isKnown = this.#everAdded.has(add.path)
      expectThat(!isKnown || removed.has(add.path), `${where}: adds ${add.path} a second time`)
      expectThat(
        this.#lake.has(`${this.path}/${decodeURIComponent(add.path)}`),
        `${where}: no object ${add.path}`,
      )
      this.#everAdded.add(add.path)
      this.#files.set(add.path, add)
    }
    for (const [appId, version] of entry.txns) this.txns.set(appId, version)
  }

  async rows(): Promise<StoredRow[]> {
    const rows: StoredRow[] = []
    for (const file of this.#files.values()) rows.push(...(await this.liveRowsOf(file)))
    return rows
  }

  /** Rows of a file as an entry names it: without those that its deletion vector hides. */
  async liveRowsOf(file: FileEntry): Promise<StoredRow[]> {
    const all = await this.#allRowsOf(file)
    const { deletionVector } = file
    if (deletionVector === undefined) return [...all]
    const identity = identityOf(deletionVector)
    const deleted =
      this.#vectors.get(identity) ?? (await readDeletionVector(this.#lake, this.path, deletionVector))
    this.#vectors.set(identity, deleted)
    const live = all.filter((_, row) => !deleted.has(row))
    expectThat(all.length - live.length === deleted.size, `a vector of ${file.path} points past its rows`)
    return live
  }

  async #allRowsOf(file: FileEntry): Promise<readonly StoredRow[]> {
    const known = this.#rowsOf.get(file.path)
    if (known !== undefined) return known
    const { path, size, partitionValues = {}, stats } = file
    const schema = path.startsWith('_change_data/')
      ? struct([...this.#schema.fields, field('_change_type', 'string')])
      : this.#schema
    const rows: StoredRow[] = []
    for await (const { cells } of this.#reader.liveRows({ path, size, partitionValues }, schema)) {
      rows.push(storedRow(Object.fromEntries(schema.fields.map(({ name }, i) => [name, cells[i]]))))
    }
    const counted =
      stats === undefined ? undefined : (JSON.parse(stats) as { numRecords?: number }).numRecords
    expectThat(
      counted === undefined || counted === rows.length,
      `${path} holds ${rows.length} rows, and not ${counted}`,
    )
    this.#rowsOf.set(path, rows)
    return rows
  }
}

const CHANGE_TYPE = '_change_type'

function storedRow(cells: Readonly<Record<string, unknown>>): StoredRow {
  const { [CHANGE_TYPE]: changeType, ...columns } = cells
  const entries = Object.entries(columns)
  const isData = (name: string) => !name.startsWith('_cdc_') || name === '_cdc_op'
  return {
    data: rowText(Object.fromEntries(entries.filter(([name]) => isData(name)))),
    whole: rowText(columns),
    known: rowText({ ...columns, _cdc_txid: null, _cdc_ts: null }),
    isMarkedDeleted: columns['_cdc_deleted'] === true,
    changeType: (changeType as string | undefined) ?? null,
    cells: columns,
  }
}
