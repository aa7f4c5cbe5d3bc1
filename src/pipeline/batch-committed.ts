import type { BatchCommitted } from '../../core/fact.ts'
import type { ChangeEvent } from '../../schemas/change-event.ts'
import { happenedMs } from '../../schemas/event-time.ts'
import type { FlushReport } from '../../writers/table-writer.ts'
import type { ClosedBatch, TableOwner } from './table-owner.ts'

/** What a flush has done, for those who watch. */
export function batchCommitted(
  { contract }: TableOwner,
  { events, sizeBytes }: ClosedBatch,
  { version, counts, tally, ambiguousKeyMoves, phases }: FlushReport,
  time: Pick<BatchCommitted, 'startedMs' | 'durationMs'>,
): BatchCommitted {
  return {
    kind: 'batch-committed',
    table: contract.name,
    version,
    operations: countOperations(events),
    events: events.length,
    sizeBytes,
    rows: counts,
    stale: tally.stale,
    duplicates: tally.duplicates,
    ambiguousKeyMoves: ambiguousKeyMoves.length,
    oldestMs: happenedMs(events[0]!),
    ...time,
    phases,
  }
}

function countOperations(events: readonly ChangeEvent[]): Record<string, number> {
  const counts = { r: 0, c: 0, u: 0, d: 0, t: 0 }
  for (const { op } of events) counts[op]++
  return counts
}
