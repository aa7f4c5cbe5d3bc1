import type { PartitionRange } from '../../../core/ports.ts'
import type { Checkpoints } from '../../pipeline/checkpoints.ts'
import type { GroupFacts, TopicFact, TopicsFacts } from './chain-facts.ts'

/** What the brokers of a pipeline say. */
export interface InspectedCluster {
  readonly brokerCount: number
  /** Those that the pipeline reads. */
  readonly topics: readonly InspectedTopic[]
  readonly group: { readonly state: string; readonly members: number }
  /** By `topic/partition`. */
  readonly groupOffsets: ReadonlyMap<string, bigint>
}

export interface InspectedTopic
  extends Pick<
    TopicFact,
    'name' | 'replicas' | 'retentionMs' | 'isCompacted' | 'isDeleted' | 'minInSyncReplicas'
  > {
  readonly ranges: readonly PartitionRange[]
  /** Partitions without a leader. */
  readonly leaderless: readonly number[]
  /** By partition, the first offset that is younger than half of the retention. */
  readonly halfway: ReadonlyMap<number, bigint>
}

/** The topics with what our tables have of them. @param feedsOf names of the tables that a topic feeds */
export function topicsFacts(
  { brokerCount, topics }: InspectedCluster,
  checkpoints: Checkpoints,
  feedsOf: (topic: string) => readonly string[],
): TopicsFacts {
  return { brokerCount, topics: topics.map((topic) => topicFact(topic, checkpoints, feedsOf(topic.name))) }
}

function topicFact(
  { ranges, leaderless, halfway, ...topic }: InspectedTopic,
  checkpoints: Checkpoints,
  feeds: readonly string[],
): TopicFact {
  return {
    ...topic,
    feeds,
    partitions: ranges.map(({ partition, startOffset, endOffset }) => {
      const nextOffset = reached(checkpoints, `${topic.name}/${partition}`)
      const half = halfway.get(partition)
      const isOld = nextOffset !== null && half !== undefined && nextOffset < half && nextOffset < endOffset
      return {
        partition,
        startOffset,
        endOffset,
        nextOffset,
        lagMs: isOld ? topic.retentionMs! / 2 + 1 : null,
        hasLeader: !leaderless.includes(partition),
      }
    }),
  }
}

/** The lowest offset that a table, or the pipeline's mark, still has to read; `null`: nothing was read yet. */
function reached({ mark, tables }: Checkpoints, partition: string): bigint | null {
  const passed = mark.get(partition)
  const own = tables.flatMap(({ nextOffsets }) => nextOffsets.get(partition) ?? [])
  if (own.length === 0) return passed ?? null
  const least = own.reduce((a, b) => (a < b ? a : b))
  return passed !== undefined && passed > least ? passed : least
}

/** @param isRunning a process of the pipeline has shown itself in the lake lately */
export function groupFacts(
  cluster: InspectedCluster,
  checkpoints: Checkpoints,
  isRunning: boolean,
): GroupFacts {
  const ahead = [...cluster.groupOffsets].filter(([partition, offset]) => {
    const own = reached(checkpoints, partition)
    return own !== null && offset > own
  })
  return { ...cluster.group, isRunning, aheadOf: ahead.map(([partition]) => partition) }
}
