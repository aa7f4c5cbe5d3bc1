import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { OffsetRange } from '../../../core/ports.ts'
import { DEFAULT_FETCH } from '../../../src/config/kafka-settings.ts'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import { KafkaSource } from '../../../src/io/kafka-source.ts'
import { systemClock } from '../../../src/io/system-clock.ts'
import { createTopic } from './kafka-topics.ts'

const broker = inject('kafkaBroker')
const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING })
const admin = kafka.admin()
const TOPIC = 'ranges.public.t'
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const source = new KafkaSource({
  settings: {
    kind: 'kafka',
    brokers: [broker],
    topics: [TOPIC],
    groupId: 'ranges',
    ssl: null,
    sasl: null,
    fetch: { ...DEFAULT_FETCH, maxWaitMs: 100 },
    sessionTimeoutMs: 10_000,
    topicsAgeMs: 500,
  },
  ties: { tablesOf: (topic) => [topic], isSpread: () => false },
  clock: systemClock,
  logger: quiet,
})

beforeAll(async () => {
  await admin.connect()
  await createTopic(admin, TOPIC, 2)
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.LegacyPartitioner })
  await producer.connect()
  for (const partition of [0, 1]) {
    const messages = Array.from({ length: 50 }, (_, i) => ({ partition, value: `${partition}:${i}` }))
    await producer.send({ topic: TOPIC, messages })
  }
  await producer.disconnect()
})
afterAll(async () => {
  await source.close()
  await admin.disconnect()
})

async function offsetsOf(range: Omit<OffsetRange, 'topic'>): Promise<number[]> {
  const offsets: number[] = []
  for await (const batch of source.readRange({ topic: TOPIC, ...range })) {
    for (const { offset, partition, value } of batch.records) {
      expect(Buffer.from(value!).toString()).toBe(`${partition}:${offset}`)
      offsets.push(Number(offset))
    }
  }
  return offsets
}

test('a range of one partition is read from its first offset up to its end, and no further', async () => {
  const offsets = await offsetsOf({ partition: 1, fromOffset: 10n, toOffset: 13n })
  expect(offsets).toEqual([10, 11, 12])
}, 30_000)

test('a range that has lost records is refused before any of those behind them', async () => {
  await admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: 0, offset: '20' }] })
  await expect(offsetsOf({ partition: 0, fromOffset: 10n, toOffset: 30n })).rejects.toMatchObject({
    code: 'E_OFFSET_GAP',
  })
  expect(await offsetsOf({ partition: 0, fromOffset: 20n, toOffset: 22n })).toEqual([20, 21])
}, 60_000)

test('a topic tells where a time stands in each partition', async () => {
  const ranges = await source.partitions()
  const before = await source.offsetsSince(TOPIC, 0)
  expect(before).toEqual(new Map(ranges.map(({ partition, startOffset }) => [partition, startOffset])))
  const after = await source.offsetsSince(TOPIC, Date.now() + 3_600_000)
  expect(after).toEqual(new Map(ranges.map(({ partition, endOffset }) => [partition, endOffset])))
})
