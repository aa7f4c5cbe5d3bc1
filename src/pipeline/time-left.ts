import type { ChangeSource, PartitionRange } from '../../core/ports.ts'

/**
 * How long the records that somebody has still to read stay in their topic.
 *
 * @param next the offset of the first of them
 * @param retentionMs of the topic; `null`: it keeps records for ever, or does not tell
 * @returns milliseconds, 0 when some are gone already; `null`: there is nothing to read, or nothing goes
 */
export async function timeLeftMs(
  source: Pick<ChangeSource, 'readRange'>,
  { topic, partition, startOffset, endOffset }: PartitionRange,
  next: bigint,
  retentionMs: number | null,
  nowMs: number,
): Promise<number | null> {
  if (retentionMs === null || next >= endOffset) return null
  if (next < startOffset) return 0
  const range = { topic, partition, fromOffset: next, toOffset: endOffset }
  for await (const { records } of source.readRange(range)) {
    const [first] = records
    if (first !== undefined) return Math.max(0, first.timestampMs + retentionMs - nowMs)
  }
  return null
}
