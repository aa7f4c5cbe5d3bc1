import type { ChangeSource, Clock, PartitionRange } from '../core/ports.ts'
import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import { partitionName } from '../writers/partition-name.ts'
import { readProgress } from '../writers/table-progress.ts'
import type { Found } from './verdict.ts'

/**
 * How far a table is behind its topics: the age of the oldest record that it does not hold, 0 when it has come to the
 * end. Above the bound the verdict is `different`.
 */
export async function checkLag(
  {
    clock,
    topics,
    pipeline,
  }: { readonly clock: Clock; readonly topics: ChangeSource; readonly pipeline: string },
  snapshot: TableSnapshot,
  lagMaxMs: number,
): Promise<Found> {
  const { nextOffsets } = readProgress(snapshot.txns, pipeline)
  const ownTopics = new Set([...nextOffsets.keys()].map((name) => name.slice(0, name.lastIndexOf('/'))))
  let oldestMs: number | null = null
  let records = 0n
  for (const range of await topics.partitions()) {
    if (!ownTopics.has(range.topic)) continue
    const next = nextOffsets.get(partitionName(range.topic, range.partition)) ?? range.startOffset
    if (next >= range.endOffset) continue
    const atMs = await firstChangeMs(topics, range, next)
    if (atMs === null) continue
    records += range.endOffset - next
    oldestMs = Math.min(oldestMs ?? atMs, atMs)
  }
  const lagMs = oldestMs === null ? 0 : Math.max(0, clock.nowMs() - oldestMs)
  return {
    verdict: lagMs > lagMaxMs ? 'different' : 'equal',
    detail:
      lagMs > lagMaxMs ? `${records} records behind, the oldest for ${Math.round(lagMs / 1000)} s` : null,
    version: snapshot.version,
    lagMs,
  }
}

/** When the first record behind a position came that changes a row: Kafka tombstones do not. */
async function firstChangeMs(
  topics: ChangeSource,
  { topic, partition, endOffset }: PartitionRange,
  fromOffset: bigint,
): Promise<number | null> {
  for await (const batch of topics.readRange({ topic, partition, fromOffset, toOffset: endOffset })) {
    const found = batch.records.find((record) => record.value !== null)
    if (found !== undefined) return found.timestampMs
  }
  return null
}
