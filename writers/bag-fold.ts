import type { ChangeEvent, RowImage } from '../schemas/change-event.ts'
import type { Position } from '../schemas/position.ts'
import { isBelowFloor } from './floor.ts'
import type { PartitionMarks } from './partition-marks.ts'
import { fillGaps, isSameRow, nullGaps } from './row-image.ts'
import { emptyTally, type Tally } from './tally.ts'

export interface BagFoldInput {
  /** Row changes (no truncates) in the order they arrived; updates and deletes carry the whole row before. */
  readonly events: readonly ChangeEvent[]
  /** A number for each distinct row: equal rows have equal numbers. */
  readonly rowNumber: (image: RowImage) => number
  /** Moved on by the fold. */
  readonly marks: PartitionMarks
  readonly floor: Position | null
}

/** A row that the bag gains. */
export interface BagRow {
  readonly row: number
  readonly image: RowImage
  readonly event: ChangeEvent
}

/** Copies of one row that leave the bag. */
export interface TakenRow {
  readonly row: number
  readonly image: RowImage
  /** The events that took them: one each. */
  readonly events: ChangeEvent[]
}

export interface BagFoldResult {
  /** By row number. */
  readonly added: ReadonlyMap<number, readonly BagRow[]>
  readonly taken: readonly TakenRow[]
  readonly tally: Tally
}

/**
 * Folds the events of a table without a key: a bag of rows, in which any copy of a row may stand for any other. A row
 * that comes and goes within the batch is never written.
 *
 * Without a key, an event that is sent again can only be known by its position (design §3.1 "Partition mark").
 */
export function foldBag(input: BagFoldInput): BagFoldResult {
  const { events, marks, floor } = input
  const tally = emptyTally()
  const added = new Map<number, BagRow[]>()
  const taken = new Map<number, TakenRow>()

  const take = (image: RowImage, event: ChangeEvent): void => {
    const row = input.rowNumber(image)
    if (added.get(row)?.pop() !== undefined) {
      tally.applied--
      tally.superseded++
    } else {
      const known = taken.get(row)
      if (known === undefined) taken.set(row, { row, image, events: [event] })
      else known.events.push(event)
    }
  }
  const add = (image: RowImage, event: ChangeEvent): void => {
    const row = input.rowNumber(image)
    const rows = added.get(row)
    if (rows === undefined) added.set(row, [{ row, image, event }])
    else rows.push({ row, image, event })
  }

  for (const event of events) {
    // Asked first: a stream that fell back below the floor fell back below the mark too.
    if (event.position !== null && marks.isResend(event, event.position)) {
      tally.duplicates++
      continue
    }
    if (isBelowFloor(event, floor)) {
      tally.stale++
      continue
    }
    if (event.position !== null) marks.advance(event.at, event.position)
    if (event.op === 'u' && isSameRow(event.before!, event.after!)) {
      tally.ignored++
      continue
    }
    tally.applied++
    if (event.before !== null) take(event.before, event)
    if (event.after !== null) add(wholeRow(event, event.after), event)
  }
  return { added, taken: [...taken.values()], tally }
}

/** With whole rows before nothing is left out: what looks unsent is what the row held before, or text of a user. */
function wholeRow({ before }: ChangeEvent, after: RowImage): RowImage {
  return nullGaps(before === null ? after : fillGaps(after, before)).image
}
