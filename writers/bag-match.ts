import type { ChangeEvent } from '../schemas/change-event.ts'
import type { BagFoldResult, BagRow, TakenRow } from './bag-fold.ts'
import type { Place } from './locator/hash-table.ts'
import type { StoredKey } from './locator/key-locator.ts'
import type { Tally } from './tally.ts'

export interface BagMatch {
  /** Rows to be written. */
  readonly added: readonly BagRow[]
  /** Stored copies that leave. */
  readonly places: readonly Place[]
  /** Row number → copies that leave the locator. */
  readonly removed: ReadonlyMap<number, number>
  /** Copies that nobody holds. */
  readonly missing: readonly { readonly row: number; readonly event: ChangeEvent }[]
  readonly tally: Tally
}

/**
 * Finds for every row that leaves a bag the copy that goes. A copy is, the likeliest first: a stored row that is the
 * same; one that is older than some columns and knows nothing of what the source has filled them with; a row of the
 * batch that was read after its delete, from another partition.
 *
 * @param stored up to `count` stored copies of a row, always the same first ones
 * @param olderForms numbers of the row as it would be stored if it were older than its last column, its last two, …
 */
export function matchBag(
  fold: BagFoldResult,
  stored: (row: number, count: number) => readonly StoredKey[],
  olderForms: (taken: TakenRow) => readonly number[],
): BagMatch {
  const places: Place[] = []
  const removed = new Map<number, number>()
  const added = new Map(fold.added)
  const tally = { ...fold.tally }

  /** @returns how many of `count` are still to be found */
  const takeStored = (row: number, count: number): number => {
    const before = removed.get(row) ?? 0
    const found = stored(row, before + count).slice(before)
    for (const { place } of found) places.push(place)
    if (found.length > 0) removed.set(row, before + found.length)
    return count - found.length
  }
  const takeAdded = (row: number, count: number): number => {
    const rows = added.get(row) ?? []
    const gone = Math.min(count, rows.length)
    if (gone > 0) added.set(row, rows.slice(gone))
    tally.applied -= gone
    tally.superseded += gone
    return count - gone
  }

  const open = fold.taken.map((taken) => ({ taken, left: takeStored(taken.row, taken.events.length) }))
  const missing: { row: number; event: ChangeEvent }[] = []
  for (const { taken, left: unknown } of open) {
    let left = unknown
    for (const form of left === 0 ? [] : olderForms(taken)) {
      if (left > 0) left = takeStored(form, left)
      if (left > 0) left = takeAdded(form, left)
    }
    if (left > 0) left = takeAdded(taken.row, left)
    if (left > 0) missing.push(...taken.events.slice(-left).map((event) => ({ row: taken.row, event })))
  }
  return { added: [...added.values()].flat(), places, removed, missing, tally }
}
