import type { Clock, Logger } from '../../core/ports.ts'
import type { KafkaSettings } from '../config/kafka-settings.ts'
import { openKafka } from './kafka-connection.ts'
import { toKafkaError } from './kafka-error.ts'
import { selectTopics } from './kafka-topics.ts'

/**
 * What the brokers were told of a group: a copy of what the tables say.
 *
 * @returns by `topic/partition`; partitions of which nothing was told are missing
 * @throws EngineError as `toKafkaError` says
 */
export async function groupOffsets(
  settings: KafkaSettings,
  clock: Clock,
  logger: Logger,
): Promise<ReadonlyMap<string, bigint>> {
  const { groupId } = settings
  const admin = (await openKafka(settings, clock, logger)).admin()
  try {
    await admin.connect()
    const topics = selectTopics(await admin.listTopics(), settings.topics)
    const offsets = new Map<string, bigint>()
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
      for (const { partition, offset } of partitions) {
        if (BigInt(offset) >= 0n) offsets.set(`${topic}/${partition}`, BigInt(offset))
      }
    }
    return offsets
  } catch (error) {
    throw toKafkaError(error, `cannot ask for the offsets of the group ${groupId}`)
  } finally {
    await admin.disconnect()
  }
}
