import type { Admin, Kafka } from 'kafkajs'
import type { RawRecord } from '../../../core/ports.ts'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import { readRecording } from '../../support/recorded-topics.ts'

/** Makes a topic with so many partitions, and waits until it can be written. */
export async function createTopic(admin: Admin, topic: string, numPartitions: number): Promise<void> {
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
}

/** Puts a recording into Kafka as it was: topics, partitions, keys, headers, times, order. */
export async function produceRecording(kafka: Kafka, admin: Admin, folder: string): Promise<number> {
  let count = 0
  for (const [topic, records] of readRecording(folder)) {
    await createTopic(admin, topic, 1 + Math.max(0, ...records.map(({ partition }) => partition)))
    await produceRecords(kafka, topic, records)
    count += records.length
  }
  return count
}

export async function produceRecords(
  kafka: Kafka,
  topic: string,
  records: readonly RawRecord[],
): Promise<void> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.LegacyPartitioner })
  await producer.connect()
  for (let at = 0; at < records.length; at += 500) {
    await producer.send({ topic, messages: records.slice(at, at + 500).map(messageOf) })
  }
  await producer.disconnect()
}

function messageOf({ partition, key, value, timestampMs, headers }: RawRecord) {
  const byName: Record<string, (Buffer | string)[]> = {}
  for (const [name, bytes] of headers) {
    byName[name] = [...(byName[name] ?? []), bytes === null ? '' : Buffer.from(bytes)]
  }
  return {
    partition,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    timestamp: String(timestampMs),
    headers: byName,
  }
}
