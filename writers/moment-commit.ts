import { isSameType } from '../schemas/evolution.ts'
import { visibilityOf } from '../schemas/visibility.ts'
import type { SetTransaction } from './delta/actions.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { keyTextOf } from './key-texts.ts'
import type { MomentPlan, UntouchedRow } from './moment-planner.ts'
import { allDeferred, type MomentReport, type MomentRow, type MomentRows } from './moment-rows.ts'
import { partitionedImage } from './partitioned-images.ts'
import type { StreamWatches } from './stream-watch.ts'
import type { TableLayout } from './table/table-layout.ts'
import type { PlanContext, TableMode } from './table-mode.ts'
import { progressPrefix } from './table-progress.ts'

/** What is known when rows of a moment come to their table. */
export interface MomentContext {
  readonly pipeline: string
  readonly snapshot: TableSnapshot
  readonly context: PlanContext
  readonly mode: TableMode
  readonly watches: StreamWatches
  readonly reached: PlanContext['floor']
  /** Source names of the partition columns. */
  readonly partitionedBy: readonly string[]
  /** Source names of the key columns; `null`: the table has none. */
  readonly key: readonly string[] | null
}

/** What is to be written of them; `moment` `null`: nothing, and `report` says why. */
export interface JudgedMoment {
  readonly moment: MomentPlan | null
  readonly report: MomentReport
}

/**
 * Tells what of a moment's rows goes into the table: a row that nothing newer has touched and that is stored otherwise.
 *
 * A key is left alone when the stream touched it by a transaction that the moment does not see (its event is newer), or by
 * one that is not known; when its stored row is of such a transaction; and when its row is still owed values by a key
 * change. An event by a transaction that the moment sees is older than the row, wherever it stands in the log.
 *
 * @see reliability §6 "Handoff in one rule"
 */
export async function judgeMoment(given: MomentRows, known: MomentContext): Promise<JudgedMoment> {
  const { snapshot, context, mode } = known
  const none = (why: string) => ({ moment: null, report: allDeferred(given, snapshot.version, why) })
  if (snapshot.txns.get(momentAppId(known.pipeline))?.version === given.id) return none(COMMITTED)
  const watched = known.watches.find(given.watch)
  if (watched === null) return none(UNWATCHED)
  if (mode.planMoment === null) return none(NO_KEY)
  const isOfKey = ({ key }: MomentRow) =>
    key.columns.map(({ name }) => name).join('\n') === known.key?.join('\n')
  if (!given.rows.every((row) => isOfKey(row) && fits(row, context.layout))) return none(OTHER_COLUMNS)
  const texts = given.rows.map(({ key }) => keyTextOf(key))
  if (new Set(texts).size < texts.length) return none(TWICE)
  const visibility = visibilityOf(given.snapshot)
  const deferred: number[] = []
  const rows: UntouchedRow[] = []
  const owing = new Set(context.owedValues.flatMap(({ from, row }) => [from, row]))
  given.rows.forEach(({ key, image }, at) => {
    if (watched.isNewer(key, visibility) || owing.has(texts[at]!)) deferred.push(at)
    else rows.push({ key, image: partitionedImage(image, known.partitionedBy), at })
  })
  const moment = await mode.planMoment({ rows, visibility, reached: known.reached }, context)
  const { plan, unchanged, newer } = moment
  const report = { version: snapshot.version, counts: plan.counts, unchanged, why: null }
  return {
    moment: plan.rows.length + plan.deleted.size > 0 || given.complete !== undefined ? moment : null,
    report: { ...report, deferred: [...deferred, ...newer].sort((a, b) => a - b) },
  }
}

/** Carries the name of the rows in their commit. Public format (ARCHITECTURE.md "What lies in the lake"). */
export function momentTxn(pipeline: string, { id }: MomentRows, nowMs: number): SetTransaction {
  return { kind: 'txn', appId: momentAppId(pipeline), version: id, lastUpdated: nowMs }
}

function momentAppId(pipeline: string): string {
  return `${progressPrefix(pipeline)}moment`
}

const COMMITTED = 'these rows were committed before'
const UNWATCHED =
  'nobody knows what the stream did to the table meanwhile: it was truncated, has another owner by now, too much time passed, or too many rows changed'
const NO_KEY = 'rows of a table without a key, or of an audit log, cannot be told apart'
const OTHER_COLUMNS = 'the columns of the table have changed'
const TWICE = 'two rows have one key'

/** Whether a row was made for the columns as they are. */
function fits({ key, image }: MomentRow, layout: TableLayout): boolean {
  const columns = [...key.columns, ...(image?.shape.columns ?? [])]
  return columns.every(({ name, type }) => {
    const at = layout.shape.indexOf.get(name)
    return at !== undefined && isSameType(layout.shape.columns[at]!.type, type)
  })
}
