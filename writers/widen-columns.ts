import { EngineError } from '../core/errors.ts'
import type { TableContract } from '../schemas/contract.ts'
import { removeOf } from './delta/actions.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import type { StageContext, Stager } from './stage.ts'
import type { SchemaChange } from './table/table-layout.ts'
import type { PreparedCommit } from './table-log.ts'
import { metadataActions, type TableState } from './table-state.ts'

/** Tables up to this size are rewritten at once when a column's type widens (design §3.6). */
const WIDEN_BYTES_MAX = 256 * 1024 * 1024

export interface WideningContext {
  readonly contract: TableContract
  readonly stager: Stager
  /** With the wider schema. */
  readonly stageContext: StageContext
  /** Transactions of ours: who else moves one of them is a second writer. */
  readonly appIds: ReadonlySet<string>
  readonly nowMs: number
}

/**
 * Writes a table's rows anew under wider column types: not every reader follows `typeWidening`. No row changes, and
 * the change feed is silent about it.
 *
 * @throws EngineError `E_WIDEN_TOO_LARGE` (stop-table)
 */
export async function prepareWidening(
  snapshot: TableSnapshot,
  evolved: { readonly state: TableState; readonly change: SchemaChange },
  { contract, stager, stageContext, appIds, nowMs }: WideningContext,
): Promise<PreparedCommit> {
  refuseLargeWidening(snapshot, evolved.change, contract.name)
  const files = [...snapshot.files.values()]
  const added = await stager.rewriteFiles(files, stageContext)
  const removed = files.map((file) => removeOf(file, nowMs, false))
  return {
    operation: 'CHANGE COLUMN',
    metrics: {},
    actions: [...metadataActions(evolved.state, contract, snapshot, '', nowMs), ...removed, ...added],
    // A file that comes in meanwhile has the narrower type too: not a compaction, which such a file would not concern.
    ours: { kind: 'upsert', touched: 'all', appIds },
  }
}

/** @throws EngineError `E_WIDEN_TOO_LARGE` (stop-table) when types widen, and too much would have to be rewritten */
export function refuseLargeWidening(snapshot: TableSnapshot, { widened }: SchemaChange, table: string): void {
  const sizeBytes = [...snapshot.files.values()].reduce((sum, file) => sum + file.size, 0)
  if (widened.length === 0 || sizeBytes <= WIDEN_BYTES_MAX) return
  const columns = widened.map(({ name }) => name).join(', ')
  throw new EngineError(
    'E_WIDEN_TOO_LARGE',
    'stop-table',
    `the type of ${columns} has widened, and the table's ${sizeBytes} bytes would have to be rewritten for it; ` +
      'take the topic in anew into another lake',
    { table },
  )
}
