import type { BatchCommitted } from '../../core/fact.ts'
import type { ChangeEvent, Operation } from '../../schemas/change-event.ts'
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

/** The one thing that is done for each event: it must cost next to nothing. */
function countOperations(events: readonly ChangeEvent[]): Record<Operation, number> {
  const byLetter = new Uint32Array(128)
  for (const { op } of events) byLetter[op.charCodeAt(0)]!++
  const of = (op: Operation) => byLetter[op.charCodeAt(0)]!
  return { r: of('r'), c: of('c'), u: of('u'), d: of('d'), t: of('t') }
}
