import type { PartitionAssigner } from 'kafkajs'
import { kafkajs } from './kafka-client.ts'

/** Part of the group protocol: all members must be of one mind about it. */
const NAME = 'alluvium-tables'
const VERSION = 0

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

/**
 * Gives all partitions of a topic, and all topics that feed one table, to one member: a table has one writer (design
 * §2). Deterministic: heaviest first to the member with the least, by number of partitions, then by name.
 *
 * @param tablesOf the tables that a topic can feed
 * @returns partitions by topic, by member; a member may get nothing
 */
export function assignTables(
  members: readonly string[],
  topics: readonly TopicPartitions[],
  tablesOf: (topic: string) => readonly string[],
): Map<string, Map<string, readonly number[]>> {
  const loads = members.toSorted(byText).map((member) => ({
    member,
    count: 0,
    topics: new Map<string, readonly number[]>(),
  }))
  for (const bundle of bundlesOf(topics, tablesOf)) {
    const least = loads.reduce((best, load) => (load.count < best.count ? load : best))
    for (const { topic, partitions } of bundle.topics) least.topics.set(topic, partitions)
    least.count += bundle.count
  }
  return new Map(loads.map(({ member, topics: given }) => [member, given]))
}

/** The given topics, and all that are tied to them by a table they both feed, or by others that are. */
export function tiedTopics(
  given: readonly string[],
  topics: readonly string[],
  tablesOf: (topic: string) => readonly string[],
): ReadonlySet<string> {
  const all = [...new Set([...given, ...topics])].map((topic) => ({ topic, partitions: [] }))
  const bundles = bundlesOf(all, tablesOf).map((bundle) => bundle.topics.map(({ topic }) => topic))
  return new Set(bundles.filter((bundle) => bundle.some((topic) => given.includes(topic))).flat())
}

interface Bundle {
  readonly topics: TopicPartitions[]
  readonly count: number
}

/** Topics that are tied together by tables, the heaviest bundle first. */
function bundlesOf(
  topics: readonly TopicPartitions[],
  tablesOf: (topic: string) => readonly string[],
): readonly Bundle[] {
  let bundles: { tables: Set<string>; topics: TopicPartitions[] }[] = []
  for (const each of topics.toSorted((a, b) => byText(a.topic, b.topic))) {
    const tables = new Set(tablesOf(each.topic))
    const tied = bundles.filter((bundle) => [...tables].some((table) => bundle.tables.has(table)))
    const merged = {
      tables: new Set([...tables, ...tied.flatMap((bundle) => [...bundle.tables])]),
      topics: [...tied.flatMap((bundle) => bundle.topics), each],
    }
    bundles = [...bundles.filter((bundle) => !tied.includes(bundle)), merged]
  }
  return bundles
    .map((bundle) => ({
      topics: bundle.topics.toSorted((a, b) => byText(a.topic, b.topic)),
      count: bundle.topics.reduce((sum, { partitions }) => sum + partitions.length, 0),
    }))
    .sort((a, b) => b.count - a.count || byText(a.topics[0]!.topic, b.topics[0]!.topic))
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** `assignTables` as kafkajs wants it. */
export function tableAssigner(tablesOf: (topic: string) => readonly string[]): PartitionAssigner {
  const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    async assign({ members, topics }) {
      const known = topics.map((topic) => ({
        topic,
        partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId),
      }))
      const ids = members.map(({ memberId }) => memberId)
      return [...assignTables(ids, known, tablesOf)].map(([memberId, given]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: VERSION,
          assignment: Object.fromEntries([...given].map(([topic, partitions]) => [topic, [...partitions]])),
          userData: Buffer.alloc(0),
        }),
      }))
    },
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: MemberMetadata.encode({ version: VERSION, topics: [...topics], userData: Buffer.alloc(0) }),
    }),
  })
}
