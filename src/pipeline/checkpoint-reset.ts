import { EngineError } from '../../core/errors.ts'
import type { PartitionRange } from '../../core/ports.ts'
import { epochTxns } from '../../writers/event-epoch.ts'
import { partitionName } from '../../writers/partition-name.ts'
import { TableLog, type TableLogPorts } from '../../writers/table-log.ts'
import type { Checkpoints, TableCheckpoint } from './checkpoints.ts'
import { PassedMark } from './passed-mark.ts'
import type { TablePatterns } from './table-patterns.ts'

/** An offset of each partition, or one by partition: those that are not named stay where they are. */
export type ResetPlace = 'earliest' | 'mark' | 'latest' | bigint | ReadonlyMap<number, bigint>

export interface ResetOrder {
  /** Names of tables; `null`: the whole pipeline, its mark too. */
  readonly tables: readonly string[] | null
  /** Only partitions of this topic. */
  readonly topic: string | null
  readonly to: ResetPlace
  /** Events from there on beat all that came before, whatever their positions. */
  readonly newEpoch: boolean
}

/** One position that is moved. */
export interface ResetStep {
  readonly topic: string
  readonly partition: number
  /** `null`: the mark. */
  readonly table: TableCheckpoint | null
  readonly from: bigint
  readonly to: bigint
  /** What of the topic can be read. */
  readonly range: PartitionRange
}

/** Which positions an order moves, and where to; nothing is touched. */
export function planReset(
  checkpoints: Checkpoints,
  ranges: readonly PartitionRange[],
  { tables, topic, to }: ResetOrder,
): readonly ResetStep[] {
  const steps: ResetStep[] = []
  for (const range of ranges) {
    if (topic !== null && range.topic !== topic) continue
    if (typeof to === 'object' && !to.has(range.partition)) continue
    const name = partitionName(range.topic, range.partition)
    const mark = checkpoints.mark.get(name)
    const place = { topic: range.topic, partition: range.partition, range }
    const target = targetOf(to, range, mark)
    for (const table of checkpoints.tables) {
      const from = table.nextOffsets.get(name)
      const isMeant = tables === null || tables.includes(table.name)
      if (isMeant && from !== undefined) steps.push({ ...place, table, from, to: target })
    }
    if (tables === null && mark !== undefined) steps.push({ ...place, table: null, from: mark, to: target })
  }
  return steps
}

/** @throws EngineError `E_RESET` (usage) when the place lies outside of what the topic holds */
function targetOf(to: ResetPlace, range: PartitionRange, mark: bigint | undefined): bigint {
  const { topic, partition, startOffset, endOffset } = range
  if (to === 'earliest') return startOffset
  if (to === 'latest') return endOffset
  if (to === 'mark') return mark ?? startOffset
  const offset = typeof to === 'bigint' ? to : to.get(partition)!
  if (offset >= startOffset && offset <= endOffset) return offset
  throw new EngineError(
    'E_RESET',
    'usage',
    `the partition holds offsets ${startOffset} to ${endOffset}; name one of these, or earliest, mark or latest`,
    { topic, partition, offset },
  )
}

/**
 * Moves the positions, a commit of each table that changes nothing else. A table that is put behind the mark is no
 * longer one that the mark holds for: at the next start it reads from its own position to the mark beside the stream.
 */
export async function applyReset(
  ports: TableLogPorts,
  pipeline: string,
  steps: readonly ResetStep[],
  order: ResetOrder,
  takes: TablePatterns,
): Promise<void> {
  const mark = await PassedMark.open(ports, pipeline)
  const behind = new Set<string>()
  for (const { table, topic, partition, to } of steps) {
    const passed = mark.passed(topic, partition)?.nextOffset ?? 0n
    if (order.tables !== null && table !== null && to < passed) behind.add(table.name)
  }
  // First the mark lets go of them: a table that were put back alone would begin at the mark.
  const covered = mark.tables ?? takes
  const tables = [...behind].reduce((left, table) => left.without(table), covered)
  if (behind.size > 0) await mark.write({ partitions: [], tables, floors: [] })
  for (const table of new Set(steps.map((step) => step.table))) {
    if (table === null) continue
    await resetTable(
      ports,
      pipeline,
      table,
      steps.filter((step) => step.table === table),
      order.newEpoch,
    )
  }
  await mark.reset(
    steps
      .filter(({ table }) => table === null)
      .map(({ topic, partition, to }) => ({ topic, partition, nextOffset: to })),
  )
}

async function resetTable(
  ports: TableLogPorts,
  pipeline: string,
  table: TableCheckpoint,
  steps: readonly ResetStep[],
  newEpoch: boolean,
): Promise<void> {
  const log = await TableLog.open(ports, table.path)
  const lastUpdated = ports.clock.nowMs()
  const epoch = 1 + Math.max(0, ...[...table.epochs.values()].map((each) => each.epoch))
  await log.commit(
    async () => ({
      operation: 'RESET CHECKPOINT',
      metrics: {},
      actions: steps.flatMap((step) => {
        const appId = `alluvium/${pipeline}/${partitionName(step.topic, step.partition)}`
        return [
          { kind: 'txn', appId, version: step.to, lastUpdated } as const,
          ...(newEpoch ? epochTxns(pipeline, step, { epoch, fromOffset: step.to }, lastUpdated) : []),
        ]
      }),
      ours: { kind: 'metadata', touched: new Set(), appIds: new Set() },
    }),
    async () => {},
  )
}
