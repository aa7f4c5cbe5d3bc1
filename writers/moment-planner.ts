import { assert } from '../core/assert.ts'
import { type Cell, UNAVAILABLE } from '../schemas/delta-types.ts'
import { comparePositions, type Position } from '../schemas/position.ts'
import type { Visibility } from '../schemas/visibility.ts'
import { BatchKeys } from './batch-keys.ts'
import type { NetChange } from './fold.ts'
import type { StoredKey } from './locator/key-locator.ts'
import type { KeySource, LocatedKeys } from './locator/located-keys.ts'
import type { MomentRow } from './moment-rows.ts'
import { fillGaps, hasGaps, isSameRow } from './row-image.ts'
import { StoredRows } from './stored-rows.ts'
import type { TableLayout } from './table/table-layout.ts'
import type { BatchPlan, PlanContext } from './table-mode.ts'
import { emptyTally } from './tally.ts'
import { type UpsertOptions, UpsertPlanner } from './upsert-planner.ts'

/** A row that nothing has touched since its moment, by its place among those that were given. */
export interface UntouchedRow extends MomentRow {
  readonly at: number
}

export interface MomentPlan {
  readonly plan: BatchPlan
  readonly unchanged: number
  /**
   * Places of rows that are stored as a transaction left them that the moment does not see, and of such as tell a part of
   * a row that is not there any more.
   */
  readonly newer: readonly number[]
}

export interface MomentPlanInput {
  readonly rows: readonly UntouchedRow[]
  readonly visibility: Visibility
  /**
   * Position that every partition of the table has come to. Nothing of a written row comes at it or below but what is
   * sent again; `null`: not known, and a row keeps the position that it has.
   */
  readonly reached: Position | null
  readonly options: UpsertOptions
  readonly keys: LocatedKeys
  readonly source: KeySource
  readonly context: PlanContext
  readonly needsChangeRows: (changes: readonly NetChange[]) => boolean
}

/**
 * What rows of a moment make of a table: each is held against the row that is stored, and only a difference is written.
 *
 * A row that is written stands where its partition stands. Nothing that the moment does not see has touched its key so
 * far, so that whatever comes behind is newer, and what is sent again is not above.
 */
export async function planMomentRows(input: MomentPlanInput): Promise<MomentPlan> {
  const { rows, visibility, options, keys: located, source, context } = input
  const keys = new BatchKeys(located.hasher)
  for (const { key } of rows) keys.numberOf(key)
  assert(keys.count === rows.length, 'a moment has one row of a key')
  const places = await located.findAll(keys.words, keys.count, context.snapshot, source)
  const stored = new StoredRows(context, located.locator.files)
  await stored.fetch(places.flatMap((each) => (each === null ? [] : [each.place])))
  const changes: NetChange[] = []
  const newer: number[] = []
  let unchanged = 0
  rows.forEach((row, key) => {
    const place = places[key]!
    const old = place === null ? null : stored.row(place.place)
    // Committed in the log before it was visible: its event can have come before anybody watched.
    const isUnseen = old !== null && old.txId !== null && visibility.wasOpen(old.txId)
    const lacksRest = row.image !== null && hasGaps(row.image) && (old === null || old.isDeleted)
    if (isUnseen || lacksRest) {
      newer.push(row.at)
      return
    }
    const change = changeOf(row, key, place, stored, input)
    if (change === null) unchanged++
    else changes.push(change)
  })
  const fold = { changes, tally: emptyTally(), fullBefore: context.fullBefore, ambiguousKeyMoves: [] }
  const planner = new UpsertPlanner(options, context, stored, input.needsChangeRows(changes))
  const plan = planner.plan(fold, (key, place, position) => {
    if (place === null) located.locator.delete(keys.words, keys.at(key))
    else located.locator.put(keys.words, keys.at(key), place, position)
  })
  return { plan, unchanged, newer }
}

/** @returns `null`: the row is stored just so */
function changeOf(
  { image }: MomentRow,
  key: number,
  before: StoredKey | null,
  stored: StoredRows,
  { options, context: { layout }, reached }: MomentPlanInput,
): NetChange | null {
  const row = before === null ? null : stored.row(before.place)
  const isThere = row !== null && !row.isDeleted
  if (image === null && !isThere) return null
  const position = higher(before?.position ?? null, reached)
  const system = { position, txId: null, sourceTimeUs: null }
  const change = { key, before, beforeImage: null, last: system }
  if (image === null) {
    if (!options.softDeletes) return { ...change, after: null }
    return { ...change, after: { image: row!.image, fill: null, ...system, isDeleted: true } }
  }
  const told = inLayout(image, layout)
  if (isThere && isSameRow(fillGaps(told, row.image), row.image)) return null
  return { ...change, after: { image: told, fill: before, ...system, isDeleted: false } }
}

/** The image with all columns of the table; those that it does not tell are gaps. */
function inLayout({ shape, cells }: NonNullable<MomentRow['image']>, layout: TableLayout) {
  const all = layout.shape.columns.map(({ name }): Cell | typeof UNAVAILABLE => {
    const at = shape.indexOf.get(name)
    return at === undefined ? UNAVAILABLE : cells[at]!
  })
  return { shape: layout.shape, cells: all }
}

function higher(a: Position | null, b: Position | null): Position | null {
  if (a === null || b === null) return a ?? b
  return comparePositions(a, b) > 0 ? a : b
}
