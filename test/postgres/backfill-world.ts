import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_CONTRACT, type TableContract } from '../../schemas/contract.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { parseTableName } from '../../schemas/postgres-name.ts'
import { type BackfillOutcome, backfillTable } from '../../src/backfill/backfill-table.ts'
import { Pacing } from '../../src/backfill/pacing.ts'
import { openPorts } from '../../src/engine.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { temporaryDirectory } from '../support/lake-of-recording.ts'
import { SILENT } from '../support/test-ports.ts'
import type { TestDatabase } from './test-database.ts'

export interface BackfillRun {
  readonly contract?: Partial<TableContract>
  readonly resume?: boolean
  readonly where?: string
  readonly workers?: number
  readonly chunkBlocks?: number
  readonly signal?: AbortSignal
  /** Called at named steps; what it throws ends the run as a death would. */
  readonly stepReached?: (step: string) => void
}

/** A lake that tables of a real Postgres are laid down in. */
export class BackfillWorld {
  readonly directory = temporaryDirectory()
  readonly lake: string
  readonly database: PostgresConnectionManager
  /** Rows that were read since the last look. */
  rowsRead = 0

  /** @param lake default: a new one */
  constructor({ url }: TestDatabase, lake?: string) {
    this.lake = lake ?? join(this.directory, 'lake')
    this.database = new PostgresConnectionManager({
      connectionString: url || 'postgres://none',
      poolSize: 8,
      attempts: 1,
    })
  }

  async ports(stepReached: (step: string) => void = () => {}) {
    const lake = { kind: 'local', location: this.lake, directory: this.lake } as const
    return { ...(await openPorts({ lake, store: { pathStyle: false } }, SILENT, undefined)), stepReached }
  }

  /** @param name `schema.table` */
  async backfill(name: string, run: BackfillRun = {}): Promise<BackfillOutcome> {
    const ports = await this.ports(run.stepReached)
    const { schema, table } = parseTableName(name)
    const source = await this.database.getTableSchema(name)
    const limits = { rowsPerSecond: null, bytesPerSecond: null, replicaLagMs: null, slotBytes: null }
    const pacing = new Pacing(ports.clock, this.database, limits, () => {})
    const id = { sourceName: 'shop', database: 'shop', schema, table }
    const contract = { ...DEFAULT_CONTRACT, name, ...run.contract }
    const never = new AbortController().signal
    const { workers = 2, resume = false, signal = never, chunkBlocks = 1 } = run
    this.rowsRead = 0
    return backfillTable(
      { ...ports, database: this.database, pacing },
      { source, id, contract, path: `${schema}/${table}`, where: run.where ?? null },
      { pipeline: 'default', workers, resume, signal, chunkBlocks },
      {
        begin: () => {},
        chunks: () => {},
        rows: (rows) => {
          this.rowsRead += rows
        },
      },
    )
  }

  /** Rows of a table of the lake, by the names of columns. */
  async rows(name: string): Promise<Record<string, Cell>[]> {
    const { store } = await this.ports()
    const table = (await DeltaTable.open(store, name.replace('.', '/')))!
    const names = table.schema.fields.map((field) => field.name)
    const rows: Record<string, Cell>[] = []
    for await (const cells of table.rows()) {
      rows.push(Object.fromEntries(names.map((column, i) => [column, cells[i]!])))
    }
    return rows
  }

  async snapshot(name: string) {
    const { store } = await this.ports()
    return (await loadSnapshot(store, name.replace('.', '/')))!
  }

  async close(): Promise<void> {
    await this.database.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
