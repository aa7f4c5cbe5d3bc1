import type { Admin, ITopicMetadata } from 'kafkajs'
import type { Clock, Logger } from '../../core/ports.ts'
import type { KafkaSettings } from '../config/kafka-settings.ts'
import type { InspectedCluster, InspectedTopic } from '../setup/doctor/gather-topics.ts'
import { kafkajs } from './kafka-client.ts'
import { openKafka } from './kafka-connection.ts'
import { toKafkaError } from './kafka-error.ts'
import { rangesOf, selectTopics } from './kafka-topics.ts'

const SETTINGS = ['retention.ms', 'cleanup.policy', 'min.insync.replicas']

/**
 * What the brokers say of the topics that are meant, and of the group that reads them.
 *
 * @throws EngineError as `toKafkaError` says
 */
export async function inspectKafka(
  settings: KafkaSettings,
  clock: Clock,
  logger: Logger,
): Promise<InspectedCluster> {
  const admin = (await openKafka(settings, clock, logger)).admin()
  try {
    await admin.connect()
    const names = selectTopics(await admin.listTopics(), settings.topics)
    const { brokers } = await admin.describeCluster()
    const { topics } =
      names.length === 0 ? { topics: [] } : await admin.fetchTopicMetadata({ topics: [...names] })
    const { groups } = await admin.describeGroups([settings.groupId])
    return {
      brokerCount: brokers.length,
      topics: await Promise.all(topics.map((topic) => inspectTopic(admin, topic, clock))),
      group: { state: groups[0]?.state ?? 'Dead', members: groups[0]?.members.length ?? 0 },
      groupOffsets: await offsetsOf(admin, settings.groupId, names),
    }
  } catch (error) {
    throw toKafkaError(error, 'cannot ask the brokers')
  } finally {
    await admin.disconnect()
  }
}

async function inspectTopic(
  admin: Admin,
  { name, partitions }: ITopicMetadata,
  clock: Clock,
): Promise<InspectedTopic> {
  const found = await settingsOf(admin, name)
  const retention = Number(found.get('retention.ms') ?? -1)
  const retentionMs = retention > 0 ? retention : null
  const policy = found.get('cleanup.policy') ?? ''
  const minInSync = found.get('min.insync.replicas')
  return {
    name,
    ranges: await rangesOf(admin, name),
    leaderless: partitions.filter(({ leader }) => leader < 0).map(({ partitionId }) => partitionId),
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    retentionMs,
    isCompacted: policy.includes('compact'),
    isDeleted: policy.includes('delete'),
    minInSyncReplicas: minInSync === undefined ? null : Number(minInSync),
    halfway: retentionMs === null ? new Map() : await offsetsAt(admin, name, clock.nowMs() - retentionMs / 2),
  }
}

/** Event Hubs, and brokers that deny it, do not tell: nothing is concluded from it then. */
async function settingsOf(admin: Admin, name: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: SETTINGS }],
    })
    return new Map(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    )
  } catch {
    return new Map()
  }
}

async function offsetsAt(admin: Admin, topic: string, timeMs: number): Promise<ReadonlyMap<number, bigint>> {
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, Math.round(timeMs))
  return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]))
}

async function offsetsOf(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  const offsets = new Map<string, bigint>()
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
    for (const { partition, offset } of partitions) {
      if (BigInt(offset) >= 0n) offsets.set(`${topic}/${partition}`, BigInt(offset))
    }
  }
  return offsets
}
