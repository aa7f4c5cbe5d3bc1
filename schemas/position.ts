/**
 * Where in the source's history an event stands. Compared left to right: epoch (raised by a person after the history
 * broke), `seq` (Postgres: commit LSN of the transaction before; absent or null counts as the event's own LSN), `lsn`.
 *
 * A bare LSN goes back between interleaved transactions; the pair never does.
 */
export interface Position {
  readonly epoch: number
  readonly seq: bigint
  readonly lsn: bigint
}

/** Negative, zero or positive: `a` stands before, at or after `b`. */
export function comparePositions(a: Position, b: Position): number {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1
  if (a.seq !== b.seq) return a.seq < b.seq ? -1 : 1
  if (a.lsn !== b.lsn) return a.lsn < b.lsn ? -1 : 1
  return 0
}

/** `2:97500059000:97500059720`, for messages. */
export function formatPosition(position: Position): string {
  return `${position.epoch}:${position.seq}:${position.lsn}`
}
