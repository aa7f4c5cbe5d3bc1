import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { DEFAULT_FETCH } from '../../../src/config/kafka-settings.ts'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import { KafkaSource } from '../../../src/io/kafka-source.ts'
import { systemClock } from '../../../src/io/system-clock.ts'

const broker = inject('kafkaBroker')
const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING })
const admin = kafka.admin()
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const TOPIC = 'large.public.t'
/** More than is ever asked for at once. */
const LARGE = 3 * DEFAULT_FETCH.maxPartitionBytes

beforeAll(() => admin.connect())
afterAll(() => admin.disconnect())

test('a record that is larger than a fetch is read whole, and those around it too', async () => {
  const configEntries = [{ name: 'max.message.bytes', value: String(2 * LARGE) }]
  await admin.createTopics({
    topics: [{ topic: TOPIC, numPartitions: 1, configEntries }],
    waitForLeaders: true,
  })
  const sizes = [10, LARGE, 20, LARGE, 30]
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.LegacyPartitioner })
  await producer.connect()
  for (const size of sizes)
    await producer.send({ topic: TOPIC, messages: [{ value: Buffer.alloc(size, 's') }] })
  await producer.disconnect()
  const source = new KafkaSource({
    settings: {
      kind: 'kafka',
      brokers: [broker],
      topics: [TOPIC],
      groupId: 'group-large',
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
  const read: (number | undefined)[] = []
  const startAt = async () => 0n
  for await (const batch of source.read({ untilEnd: true, startAt, onRevoked: async () => {} })) {
    read.push(...(batch?.records ?? []).map(({ value }) => value?.length))
  }
  await source.close()
  expect(read).toEqual(sizes)
})
