import type { ChangeEvent } from '../schemas/change-event.ts'
import { comparePositions, type Position } from '../schemas/position.ts'

/** Whether a TRUNCATE has emptied what this event tells (design §3.3). */
export function isBelowFloor(event: ChangeEvent, floor: Position | null): boolean {
  return floor !== null && tellsOfBefore(event, floor)
}

/**
 * Whether an event tells how things were before a position. Snapshot rows have no position of their own: those of an
 * initial snapshot are measured by the LSN that it was taken at, those of an incremental one by what was sent before.
 */
export function tellsOfBefore({ position, readAfter, lsn }: ChangeEvent, at: Position): boolean {
  const stands = position ?? readAfter ?? null
  if (stands !== null) return comparePositions(stands, at) < 0
  return lsn !== null && lsn < at.lsn
}
