import type { PartitionPosition } from '../../core/ports.ts'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import { DEFAULT_CONTRACT, type TableContract } from '../../schemas/contract.ts'
import type { Cell, StructType } from '../../schemas/delta-types.ts'
import type { Action } from '../../writers/delta/actions.ts'
import { loadCommits, loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../../writers/delta/snapshot.ts'
import type { LocatorPorts } from '../../writers/locator/located-keys.ts'
import { partitionName } from '../../writers/partition-name.ts'
import { TableReader } from '../../writers/table/table-reader.ts'
import { type FlushReport, TableWriter } from '../../writers/table-writer.ts'
import { SHOP_ITEMS } from './change-event.ts'
import { MemoryStore } from './memory-store.ts'
import { testPorts } from './test-ports.ts'

/** Where the table of these tests lies. */
export const TABLE_PATH = 'public/items'

export type StoredRow = Readonly<Record<string, Cell>>

export interface TableOptions {
  readonly contract?: Partial<TableContract>
  readonly store?: MemoryStore
  readonly pipeline?: string
  readonly isOrdered?: boolean
  readonly stepReached?: (step: string) => void
  readonly acceptsRestore?: boolean
  /** Where its locator may put what it knows; default: nowhere. */
  readonly locators?: LocatorPorts
}

/** One table in a store in memory, and the writer that owns it: events in, rows out. */
export class TestTable {
  readonly store: MemoryStore
  readonly reports: FlushReport[] = []
  readonly #options: TableOptions
  readonly #next = new Map<string, PartitionPosition>()
  writer: TableWriter

  private constructor(options: TableOptions, store: MemoryStore, writer: TableWriter) {
    this.#options = options
    this.store = store
    this.writer = writer
  }

  static async open(options: TableOptions = {}): Promise<TestTable> {
    const store = options.store ?? new MemoryStore()
    return new TestTable(options, store, await openWriter(options, store))
  }

  /** Another life of the writer: it knows what the store holds and nothing else. */
  async reopen(contract?: Partial<TableContract>, acceptsRestore = false): Promise<void> {
    const options = contract === undefined ? this.#options : { ...this.#options, contract }
    this.writer = await openWriter({ ...options, acceptsRestore }, this.store)
  }

  /** Events in one batch, made durable; a truncate is a batch of its own, as the pipeline does it. */
  async apply(...events: readonly ChangeEvent[]): Promise<FlushReport> {
    for (const event of events) {
      if (this.writer.mustFlushBefore(event)) await this.flush()
      this.writer.add(event)
      const { topic, partition, offset } = event.at
      this.#next.set(partitionName(topic, partition), { topic, partition, nextOffset: offset + 1n })
    }
    return this.flush()
  }

  async flush(): Promise<FlushReport> {
    const report = await this.writer.flush([...this.#next.values()])
    this.reports.push(report)
    return report
  }

  async snapshot(): Promise<TableSnapshot> {
    const snapshot = await loadSnapshot(this.store, TABLE_PATH)
    if (snapshot === null) throw new TypeError('there is no table')
    return snapshot
  }

  /** Log entries, by version. */
  async entries(): Promise<readonly (readonly Action[])[]> {
    return (await loadCommits(this.store, TABLE_PATH, 0)).map((entry) => entry.actions)
  }

  /** All columns of every row that a reader sees, our own included; in order of their text. */
  async storedRows(): Promise<StoredRow[]> {
    const snapshot = await loadSnapshot(this.store, TABLE_PATH)
    return snapshot === null ? [] : sortRows(await readRows(this.store, snapshot))
  }

  /** As `storedRows`, only what the source's columns hold. */
  async rows(): Promise<StoredRow[]> {
    return sortRows((await this.storedRows()).map(sourceColumns))
  }
}

export async function readRows(
  store: MemoryStore,
  snapshot: TableSnapshot,
  tablePath = TABLE_PATH,
): Promise<StoredRow[]> {
  const reader = new TableReader(store, tablePath)
  const rows: StoredRow[] = []
  for (const file of snapshot.files.values()) {
    for await (const { cells } of reader.liveRows(file, snapshot.schema)) {
      rows.push(rowObject(snapshot.schema, cells))
    }
  }
  return rows
}

export function rowObject(schema: StructType, cells: readonly Cell[]): StoredRow {
  return Object.fromEntries(schema.fields.map(({ name }, i) => [name, cells[i]!]))
}

export function sourceColumns(row: StoredRow): StoredRow {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_c')))
}

/** A row as text: equal rows have equal text, and a column that a row does not have is null. */
export function textOf(row: StoredRow): string {
  const entries = Object.entries(row).filter(([, cell]) => cell !== null)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(entries, (_, cell) => (typeof cell === 'bigint' ? `${cell}n` : cell))
}

export function sortRows(rows: readonly StoredRow[]): StoredRow[] {
  const texts = new Map(rows.map((row) => [row, textOf(row)]))
  return [...rows].sort((a, b) => (texts.get(a)! < texts.get(b)! ? -1 : 1))
}

function openWriter(options: TableOptions, store: MemoryStore): Promise<TableWriter> {
  const contract: TableContract = { ...DEFAULT_CONTRACT, name: 'public.items', ...options.contract }
  const locators = options.locators === undefined ? {} : { locators: options.locators }
  return TableWriter.open(
    { ...testPorts(store, options.stepReached), ...locators },
    {
      pipeline: options.pipeline ?? 'p',
      table: SHOP_ITEMS,
      contract,
      path: TABLE_PATH,
      isOrdered: options.isOrdered ?? true,
      acceptsRestore: options.acceptsRestore ?? false,
    },
  )
}
