import type { Admin, Kafka } from 'kafkajs'
import { vi } from 'vitest'
import type { RawRecord } from '../../../core/ports.ts'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import { readRecording } from '../../support/recorded-topics.ts'

/** Makes a topic with so many partitions, and waits until it can be written. */
export async function createTopic(admin: Admin, topic: string, numPartitions: number): Promise<void> {
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: false })
  await vi.waitFor(() => refuseLeaderless(admin, topic), { timeout: 20_000, interval: 100 })
}

/** A broker that has just made a topic may not know it for a moment. */
async function refuseLeaderless(admin: Admin, topic: string): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  if (topics[0]!.partitions.some(({ leader }) => leader < 0)) throw new Error(`${topic} has no leader`)
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

/** Inserts of rows that are nothing but an id, `from` up to and without `to`, into the table that the topic is named for. */
export async function insertRows(kafka: Kafka, topic: string, from: number, to: number): Promise<void> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.LegacyPartitioner })
  await producer.connect()
  const messages = Array.from({ length: to - from }, (_, i) => insertOf(from + i, topic.split('.').at(-1)!))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

function insertOf(id: number, table: string) {
  const source = {
    connector: 'postgresql',
    name: 'again',
    db: 'd',
    schema: 'public',
    table,
    lsn: 1000 + id,
    version: '3.7.0.Final',
    txId: id,
    ts_ms: 1772368215000 + id,
    sequence: `["${999 + id}","${1000 + id}"]`,
  }
  return {
    key: JSON.stringify({ id }),
    value: JSON.stringify({ before: null, after: { id }, op: 'c', ts_ms: 1772368215000 + id, source }),
    timestamp: String(1_772_368_215_000 + id),
  }
}
