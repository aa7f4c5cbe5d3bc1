import { EngineError } from '../../core/errors.ts'
import { CatchUp } from './catch-up.ts'
import type { PartitionProgress } from './partition-progress.ts'
import type { TableOwner } from './table-owner.ts'

/** Where a table begins whose records were passed over until now. */
export type StartPlace = 'earliest' | 'mark' | 'latest'

/**
 * Lets a table begin in a partition whose records were skipped for it when the mark was written (design §3.4): where its
 * own log stands, if it knows the partition; where `start` says otherwise. It takes what lies before the mark beside
 * the stream.
 *
 * @param own the table's next offset in this partition; `null`: it has none
 * @throws EngineError (stop-table) `E_START_UNNAMED` when nobody says where to begin, `E_OFFSET_GAP` when records that it
 * has not had are gone
 */
export function beginSkipped(
  progress: PartitionProgress,
  owner: TableOwner,
  own: bigint | null,
  start: StartPlace | undefined,
): void {
  if (owner.starts.has(progress) || progress.mark === null) return
  if (own === null && start === undefined) throw unnamed(progress, owner)
  const from = placeOf(progress, own, start)
  const { firstOffset, startedAt } = progress
  if (from < firstOffset && !progress.isAccepted(owner, firstOffset)) {
    throw progress.goneError(owner, from, firstOffset)
  }
  owner.starts.set(progress, from > startedAt ? from : 0n)
  if (from >= startedAt) return
  progress.noteOwner(owner)
  owner.catchUp ??= new CatchUp(owner, new Map())
  owner.catchUp.begin(progress, from > firstOffset ? from : firstOffset)
}

function placeOf(progress: PartitionProgress, own: bigint | null, start: StartPlace = 'earliest'): bigint {
  const places = { earliest: progress.firstOffset, mark: progress.startedAt, latest: progress.endedAt }
  if (own === null) return places[start]
  return start === 'earliest' || own > places[start] ? own : places[start]
}

function unnamed(progress: PartitionProgress, { contract: { name } }: TableOwner): EngineError {
  return new EngineError(
    'E_START_UNNAMED',
    'stop-table',
    `the pipeline has read this topic up to ${progress.mark} and skipped the records of ${name} until now; ` +
      `say where it begins: tables.${name}.start: earliest (all that the topic holds), mark (offset ${progress.mark}) ` +
      'or latest (what comes from now on)',
    { table: name, topic: progress.topic, partition: progress.partition },
  )
}
