import { EngineError } from '../../core/errors.ts'
import type { Column, TableId } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { type Action, type AddFile, type Metadata, removeOf } from '../delta/actions.ts'
import { renderSchemaString } from '../delta/schema-string.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import type { TableLayout } from '../table/table-layout.ts'
import { rowShape } from '../table/table-layout.ts'
import { type PreparedCommit, TableLog, type TableLogPorts } from '../table-log.ts'
import { firstState, metadataActions, partitionColumns, stateOf, type TableState } from '../table-state.ts'
import { type BackfillState, backfillAppId, readBackfillState, withBackfillState } from './backfill-state.ts'
import type { LoadedTable } from './load-files.ts'

export interface TableLoadOptions {
  readonly table: TableId
  readonly contract: TableContract
  /** From the root of the lake. */
  readonly path: string
}

/** What the rows of a table are, as the source tells it. */
export interface LoadedShape {
  readonly columns: readonly Column[]
  /** `null`: it has none. */
  readonly key: readonly string[] | null
}

/**
 * A table on its way from nothing to what its source held at one moment: chunk by chunk, each in one commit with how many
 * there are by then. Whoever goes on after a death repeats what no commit tells, and nothing else.
 */
export class TableLoad {
  readonly options: TableLoadOptions
  readonly #ports: TableLogPorts
  #log: TableLog

  private constructor(ports: TableLogPorts, log: TableLog, options: TableLoadOptions) {
    this.#ports = ports
    this.#log = log
    this.options = options
  }

  static async open(ports: TableLogPorts, options: TableLoadOptions): Promise<TableLoad> {
    return new TableLoad(ports, await TableLog.open(ports, options.path), options)
  }

  /** Takes over what was committed to the table by other means. */
  async refresh(): Promise<void> {
    this.#log = await TableLog.open(this.#ports, this.options.path)
  }

  /** `null`: there is no table, or one that no backfill made. */
  get state(): BackfillState | null {
    const { snapshot } = this.#log
    return snapshot === null ? null : readBackfillState(snapshot.metadata.configuration)
  }

  get exists(): boolean {
    return this.#log.snapshot !== null
  }

  /** Chunks that are in the table. */
  get chunksDone(): number {
    return this.state === null ? 0 : chunksIn(this.#snapshot, this.state.run)
  }

  /** What data files are made for. */
  loaded(readAtUs: bigint): LoadedTable {
    const { metadata } = this.#snapshot
    return {
      path: this.options.path,
      layout: this.layout,
      partitionColumns: metadata.partitionColumns,
      configuration: metadata.configuration,
      readAtUs,
    }
  }

  get layout(): TableLayout {
    return this.#tableState.layout
  }

  /** `null`: the table has none. */
  get key(): readonly string[] | null {
    return this.#tableState.properties.key
  }

  /** Whether the table was begun for such rows. */
  fits({ columns, key }: LoadedShape): boolean {
    const { table, contract } = this.options
    const { layout } = firstState(table, contract, key, [rowShape(columns)])
    const text = (each: TableLayout) => renderSchemaString(each.schema)
    return text(layout) === text(this.layout) && JSON.stringify(key) === JSON.stringify(this.key)
  }

  get #tableState(): TableState {
    return stateOf(this.#snapshot, this.options.table, this.options.contract)
  }

  get #snapshot(): TableSnapshot {
    return this.#log.snapshot!
  }

  /**
   * Creates the table without rows, or empties what an earlier backfill made of it, and notes what is to be read.
   *
   * @throws EngineError `E_BACKFILL_TABLE` (usage) when somebody else has made the table meanwhile
   */
  async begin({ columns, key }: LoadedShape, state: BackfillState): Promise<void> {
    const { table, contract } = this.options
    const first = firstState(table, contract, key, [rowShape(columns)])
    partitionColumns(first.layout, contract)
    await this.#commit((snapshot) => {
      if (snapshot !== null) this.#refuseOthers(snapshot)
      const nowMs = this.#ports.clock.nowMs()
      const removed = [...(snapshot?.files.values() ?? [])].map((file) => removeOf(file, nowMs, true))
      return {
        operation: snapshot === null ? 'CREATE TABLE' : 'DELETE',
        actions: [...this.#metadata(first, snapshot, state), ...removed, this.#progress(state.run, 0)],
        touched: 'all',
        appIds: [],
      }
    })
    this.#ports.stepReached('backfill:began')
  }

  /**
   * Adds the files of chunks.
   *
   * @param chunksBefore that are in the table by now
   * @throws EngineError `E_FENCED` (stop-table) when another process goes on with this backfill
   */
  async addChunks(chunksBefore: number, chunksAfter: number, files: readonly AddFile[]): Promise<void> {
    const { run } = this.state!
    await this.#commit((snapshot) => {
      if (chunksIn(snapshot!, run) !== chunksBefore) throw anotherGoesOn(this.options)
      const actions = [...files, this.#progress(run, chunksAfter)]
      return { operation: 'WRITE', actions, touched: new Set(), appIds: [backfillAppId(run)] }
    })
    this.#ports.stepReached('backfill:chunk-committed')
    await this.#log.upkeepWhenDue()
  }

  /** The table holds all rows: its pipeline may write it from now on. */
  async finish(): Promise<void> {
    const { run } = this.state!
    await this.#commit((snapshot) => {
      const state = readBackfillState(snapshot!.metadata.configuration)
      if (state?.run !== run || state.state !== 'loading') throw anotherGoesOn(this.options)
      const configuration = withBackfillState(snapshot!.metadata.configuration, { ...state, state: 'done' })
      const metadata: Metadata = { ...snapshot!.metadata, configuration }
      return {
        operation: 'SET TBLPROPERTIES',
        actions: [metadata],
        touched: new Set(),
        appIds: [backfillAppId(run)],
      }
    })
    this.#ports.stepReached('backfill:finished')
  }

  #metadata(first: TableState, snapshot: TableSnapshot | null, state: BackfillState): readonly Action[] {
    const { clock, random } = this.#ports
    return metadataActions(first, this.options.contract, snapshot, random.uuid(), clock.nowMs()).map(
      (action) =>
        action.kind === 'metaData'
          ? { ...action, configuration: withBackfillState(action.configuration, state) }
          : action,
    )
  }

  #progress(run: string, chunks: number): Action {
    const lastUpdated = this.#ports.clock.nowMs()
    return { kind: 'txn', appId: backfillAppId(run), version: BigInt(chunks), lastUpdated }
  }

  #refuseOthers({ metadata }: TableSnapshot): void {
    if (readBackfillState(metadata.configuration)?.state === 'loading') return
    throw new EngineError(
      'E_BACKFILL_TABLE',
      'usage',
      `the lake has a table ${this.options.contract.name} by now: its pipeline keeps it, and \`alluvium dq run --repair\` ` +
        'brings what it lacks',
    )
  }

  async #commit(prepare: (snapshot: TableSnapshot | null) => Planned): Promise<void> {
    await this.#log.commit(
      async (snapshot): Promise<PreparedCommit> => {
        const { operation, actions, touched, appIds } = prepare(snapshot)
        const kind = touched === 'all' ? 'metadata' : 'append'
        return { operation, metrics: {}, actions, ours: { kind, touched, appIds: new Set(appIds) } }
      },
      async () => {},
    )
  }
}

interface Planned {
  readonly operation: string
  readonly actions: readonly Action[]
  readonly touched: ReadonlySet<string> | 'all'
  readonly appIds: readonly string[]
}

function chunksIn({ txns }: TableSnapshot, run: string): number {
  return Number(txns.get(backfillAppId(run))?.version ?? 0n)
}

function anotherGoesOn({ contract }: TableLoadOptions): EngineError {
  return new EngineError(
    'E_FENCED',
    'stop-table',
    'another process goes on with this backfill; let one of them do it',
    { table: contract.name },
  )
}
