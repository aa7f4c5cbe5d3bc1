import type { Clock, PartitionPosition, Random } from '../core/ports.ts'
import type { Position } from '../schemas/position.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import type { StagedBatch } from './stage.ts'
import type { PreparedCommit } from './table-log.ts'
import type { BatchPlan, RowCounts } from './table-mode.ts'
import { progressTxns } from './table-progress.ts'
import { hasSystemColumns, metadataActions, type TableState } from './table-state.ts'
import type { FedTable, TopicPositions } from './topic-positions.ts'

/** A planned batch, and what it was planned against. */
export interface PlannedBatch {
  readonly plan: BatchPlan
  /** `null`: the batch creates the table. */
  readonly snapshot: TableSnapshot | null
  readonly before: TableState | null
  readonly floorBefore: Position | null
  /** The table's state with the batch. */
  readonly next: TableState
}

/** What a batch moves of how far its topics were read. */
export interface Moves {
  readonly offsets: boolean
  readonly marks: boolean
}

/** Whether the batch is worth a commit. */
export function isWorthCommit(batch: PlannedBatch, moves: Moves): boolean {
  const { plan, snapshot, before, floorBefore, next } = batch
  if (plan.rows.length > 0 || plan.deleted.size > 0) return true
  // A grave counts from the commit of its delete on.
  if (plan.graves.length > 0) return true
  // A former owner that wakes up with a part of the batch must find that we were further.
  if (moves.offsets && plan.cameAndWent) return true
  if (snapshot === null) return plan.owed.length + plan.owedValues.length > 0
  if (plan.floor !== floorBefore || !isSameState(next, before!)) return true
  // Without a key only the marks tell an event that is sent again from a new one: they must not be forgotten.
  return next.properties.key === null && moves.marks
}

/** The commit of a staged batch: its files, what it changes of the table's state, and how far it read its topics. */
export function prepareBatch(
  { plan, snapshot, before, floorBefore, next }: PlannedBatch,
  staged: StagedBatch,
  positions: readonly PartitionPosition[],
  fed: FedTable,
  topics: TopicPositions,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): PreparedCommit {
  const { pipeline, contract, isOrdered } = fed
  const nowMs = clock.nowMs()
  const isChanged =
    snapshot === null || !isSameState(next, before!) || !hasSystemColumns(snapshot, next.layout)
  const metadata = isChanged ? metadataActions(next, contract, snapshot, random.uuid(), nowMs) : []
  const floor = snapshot !== null && plan.floor === floorBefore ? null : plan.floor
  const untold = isOrdered ? topics.untold(snapshot, positions) : []
  const txns = isOrdered ? progressTxns(pipeline, untold, plan.marks, floor, nowMs) : []
  const kind = next.properties.mode === 'append' ? 'append' : 'upsert'
  return {
    operation: plan.deleted.size > 0 ? 'MERGE' : 'WRITE',
    metrics: metricsOf(plan.counts),
    actions: [...metadata, ...staged.actions, ...txns],
    ours: { kind, touched: removedPaths(staged), appIds: topics.ownAppIds(positions) },
  }
}

function isSameState(a: TableState, b: TableState): boolean {
  return a.layout === b.layout && JSON.stringify(a.properties) === JSON.stringify(b.properties)
}

function removedPaths(staged: StagedBatch): ReadonlySet<string> {
  return new Set(staged.actions.flatMap((action) => (action.kind === 'remove' ? [action.path] : [])))
}

/** `operationMetrics` under Spark's names; text, as Delta asks. */
function metricsOf({ inserted, updated, deleted }: RowCounts): Record<string, string> {
  return {
    numTargetRowsInserted: String(inserted),
    numTargetRowsUpdated: String(updated),
    numTargetRowsDeleted: String(deleted),
  }
}
