import type { Cluster, GroupMember, PartitionAssigner } from 'kafkajs'
import type { Logger } from '../../core/ports.ts'
import { assignTables, type TopicTies, type WeighedTopic } from './kafka-assignment.ts'
import { kafkajs } from './kafka-client.ts'
import { type RecordSizes, recordBytesOf } from './kafka-record-sizes.ts'

/** Part of the group protocol: all members must be of one mind about it. */
const NAME = 'alluvium-tables'
const VERSION = 0

/** `assignTables` as kafkajs wants it. The member that leads the group asks the brokers how much each topic holds. */
export function tableAssigner(ties: TopicTies, sizes: RecordSizes, logger: Logger): PartitionAssigner {
  const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    async assign({ members, topics }) {
      const weighed = await weigh(cluster, topics, members, logger)
      const ids = members.map(({ memberId }) => memberId)
      return [...assignTables(ids, weighed, ties)].map(([memberId, given]) => ({
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
      metadata: MemberMetadata.encode({ version: VERSION, topics: [...topics], userData: sizes.encode() }),
    }),
  })
}

/** When the brokers do not say what they hold, all partitions weigh the same: a poor balance is better than none. */
async function weigh(
  cluster: Cluster,
  topics: readonly string[],
  members: readonly GroupMember[],
  logger: Logger,
): Promise<WeighedTopic[]> {
  const { MemberMetadata } = kafkajs.AssignerProtocol
  const told = members.map((member) => MemberMetadata.decode(member.memberMetadata)?.userData)
  const bytesOf = recordBytesOf(told.filter((bytes) => bytes !== undefined && bytes !== null))
  const known = topics.map((topic) => ({
    topic,
    partitions: cluster
      .findTopicPartitionMetadata(topic)
      .map(({ partitionId: partition }) => ({ partition })),
  }))
  const counts = await recordCounts(cluster, known).catch((error: unknown) => {
    logger.warn(
      { event: 'kafka.sizes-unknown', error: String(error) },
      'the sizes of the topics are not known; partitions are shared out by number',
    )
    return new Map<string, number>()
  })
  return known.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => ({
      partition,
      bytes: (counts.get(`${topic}/${partition}`) ?? 0) * bytesOf(topic),
    })),
  }))
}

type Topics = readonly { readonly topic: string; readonly partitions: { partition: number }[] }[]

/** Records kept, by `topic/partition`. */
async function recordCounts(cluster: Cluster, topics: Topics): Promise<ReadonlyMap<string, number>> {
  const ask = (fromBeginning: boolean) =>
    cluster.fetchTopicsOffset(topics.map((each) => ({ ...each, fromBeginning })))
  const [starts, ends] = [offsetsOf(await ask(true)), offsetsOf(await ask(false))]
  return new Map([...ends].map(([name, end]) => [name, Number(end - (starts.get(name) ?? end))]))
}

function offsetsOf(topics: Awaited<ReturnType<Cluster['fetchTopicsOffset']>>): ReadonlyMap<string, bigint> {
  return new Map(
    topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [`${topic}/${partition}`, BigInt(offset)] as const),
    ),
  )
}
