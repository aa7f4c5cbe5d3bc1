import { assert } from '../core/assert.ts'
import type { ChangeEvent, RowShape, TableId } from '../schemas/change-event.ts'
import type { TableContract } from '../schemas/contract.ts'
import { comparePositions } from '../schemas/position.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { owedTexts } from './owed-rows.ts'
import { owedValueText } from './owed-values.ts'
import { asPartitioned } from './partitioned-images.ts'
import type { TableLayout } from './table/table-layout.ts'
import { keyNames, refuseOtherKeys } from './table-key.ts'
import { type BatchPlan, type PlanContext, planWith, type TableMode } from './table-mode.ts'
import { evolvedState, firstState, partitionColumns, type TableState } from './table-state.ts'
import { emptyTally } from './tally.ts'

/**
 * The state in which a table takes these events: as it is, with columns that they bring, or as they make it.
 *
 * @param before `null`: the table is not there yet
 * @throws EngineError (stop-table) when their key is not the table's
 */
export function stateFor(
  events: readonly ChangeEvent[],
  before: TableState | null,
  table: TableId,
  contract: TableContract,
): TableState {
  const shapes = shapesOf(events)
  const state = before ?? firstState(table, contract, keyNames(events[0]!), shapes)
  if (state.properties.mode === 'upsert') refuseOtherKeys(events, state.properties.key, contract.name)
  if (before === null) return state
  return evolvedState(before, contract, shapes)?.state ?? before
}

/** What the events of one batch do to the table: rows, or a truncate, which is a batch of its own. */
export async function planEvents(
  events: readonly ChangeEvent[],
  mode: TableMode,
  context: PlanContext,
  contract: TableContract,
): Promise<BatchPlan> {
  const [first] = events
  if (!isTruncate(first!, contract)) {
    return mode.plan(asPartitioned(events, partitionedBy(context, contract)), context)
  }
  const position = first!.position
  assert(position !== null, 'a truncate has a position')
  const isKnown = context.floor !== null && comparePositions(position, context.floor) <= 0
  if (context.marks.isResend(first!, position) || isKnown) {
    return planWith(context, { tally: { ...emptyTally(), duplicates: 1 } })
  }
  context.marks.advance(first!.at, position)
  const plan = await mode.planTruncate!(position, context)
  return { ...plan, floor: position, tally: { ...emptyTally(), applied: 1 } }
}

/** The table's state with the batch. */
export function stateAfter(
  plan: BatchPlan,
  { layout, properties }: TableState,
  { changeFeed }: TableContract,
): TableState {
  return {
    layout,
    properties: {
      ...properties,
      fullBefore: plan.fullBefore,
      changeFeed,
      unsent: [...new Set([...properties.unsent, ...plan.unsentColumns])],
      owed: owedTexts(plan.owed),
      owedValues: plan.owedValues.map(owedValueText),
    },
  }
}

/** The state of a table that holds all values of some columns. */
export function withComplete({ layout, properties }: TableState, columns: readonly string[]): TableState {
  const without = (names: readonly string[]) => names.filter((name) => !columns.includes(name))
  const { incomplete, unsent } = properties
  return { layout, properties: { ...properties, incomplete: without(incomplete), unsent: without(unsent) } }
}

/** As they are stored. A table that is there keeps those that it was made with. */
export function partitionColumnsOf(
  snapshot: TableSnapshot | null,
  layout: TableLayout,
  contract: TableContract,
): readonly string[] {
  return snapshot?.metadata.partitionColumns ?? partitionColumns(layout, contract)
}

/** Source names of the partition columns. */
export function partitionedBy(
  { snapshot, layout }: Pick<PlanContext, 'snapshot' | 'layout'>,
  contract: TableContract,
): readonly string[] {
  const stored = partitionColumnsOf(snapshot, layout, contract)
  if (stored.length === 0) return []
  return layout.shape.columns
    .map(({ name }) => name)
    .filter((name) => stored.includes(layout.fieldOf(name)!.name))
}

/** The columns that events tell of, in each form in which they do. */
export function shapesOf(events: readonly ChangeEvent[]): ReadonlySet<RowShape> {
  const shapes = new Set<RowShape>()
  let latest: RowShape | null = null
  for (const { before, after } of events) {
    // A key-only `before` has all columns too (fillers), but tells the table nothing that it should grow for.
    const image = after ?? before
    if (image === null || image.shape === latest) continue
    latest = image.shape
    shapes.add(latest)
  }
  return shapes
}

function isTruncate({ op }: ChangeEvent, { mode }: TableContract): boolean {
  return op === 't' && mode !== 'append'
}
