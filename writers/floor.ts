import type { ChangeEvent } from '../schemas/change-event.ts'
import { comparePositions, type Position } from '../schemas/position.ts'

/**
 * Whether a TRUNCATE has emptied what this event tells (design §3.3). Snapshot rows have no position of their own and
 * are measured by the LSN that the snapshot was taken at.
 */
export function isBelowFloor(event: ChangeEvent, floor: Position | null): boolean {
  if (floor === null) return false
  if (event.position !== null) return comparePositions(event.position, floor) < 0
  return event.lsn !== null && event.lsn < floor.lsn
}
