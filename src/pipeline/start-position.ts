import type { PartitionRange } from '../../core/ports.ts'
import type { TableProgress } from '../../writers/table-progress.ts'
import { partitionName } from '../../writers/table-progress.ts'
import type { PassedPartition } from './passed-mark.ts'

/**
 * Where a partition is read from: where the first of its tables has not been (design §3.4 "Passed mark"). A table
 * starts at the higher of its own offset and the mark; one without an offset of its own starts at the mark, or where
 * the topic begins when there is none.
 *
 * @param tables all tables that the topic can feed; `null` for one that does not exist yet, or is not known
 */
export function startPosition(
  range: PartitionRange,
  passed: PassedPartition | null,
  tables: readonly (TableProgress | null)[],
): bigint {
  const floor = passed?.nextOffset ?? range.startOffset
  if (tables.length === 0) return floor
  const name = partitionName(range.topic, range.partition)
  const starts = tables.map((table) => {
    const own = table?.nextOffsets.get(name) ?? floor
    return own > floor ? own : floor
  })
  return starts.reduce((least, start) => (start < least ? start : least))
}
