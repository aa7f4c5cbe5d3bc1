import type { Producer } from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import type { PartitionRange, RecordBatch } from '../../../core/ports.ts'
import { DEFAULT_FETCH, type KafkaSettings } from '../../../src/config/kafka-settings.ts'
import { kafkajs } from '../../../src/io/kafka-client.ts'
import type { TopicPartition } from '../../../src/io/kafka-inbox.ts'
import { KafkaSource } from '../../../src/io/kafka-source.ts'
import { systemClock } from '../../../src/io/system-clock.ts'
import { type CompressionName, produceByJava } from './java-producer.ts'

const broker = inject('kafkaBroker')
const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING })
const admin = kafka.admin()
const open: KafkaSource[] = []
let topics = 0

beforeAll(() => admin.connect())
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()))
})
afterAll(() => admin.disconnect())

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

function sourceOf(given: Partial<KafkaSettings> = {}): KafkaSource {
  const settings: KafkaSettings = {
    kind: 'kafka',
    brokers: [broker],
    topics: ['*'],
    groupId: `group-${Math.random()}`,
    ssl: null,
    sasl: null,
    fetch: { ...DEFAULT_FETCH, maxWaitMs: 100 },
    sessionTimeoutMs: 10_000,
    topicsAgeMs: 500,
    ...given,
  }
  const source = new KafkaSource({
    settings,
    ties: { tablesOf: (topic) => [topic], isSpread: () => false },
    clock: systemClock,
    logger: quiet,
  })
  open.push(source)
  return source
}

async function topicOf(numPartitions = 1): Promise<string> {
  const topic = `t${++topics}.public.t`
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
  return topic
}

async function producing(
  work: (producer: Producer) => Promise<void>,
  transactionalId?: string,
): Promise<void> {
  const producer = kafka.producer({
    createPartitioner: kafkajs.Partitioners.LegacyPartitioner,
    ...(transactionalId === undefined ? {} : { transactionalId, maxInFlightRequests: 1, idempotent: true }),
  })
  await producer.connect()
  await work(producer)
  await producer.disconnect()
}

const send = (topic: string, values: readonly string[], partition = 0) =>
  producing(async (producer) => {
    await producer.send({ topic, messages: values.map((value) => ({ value, partition })) })
  })

interface Heard {
  readonly values: string[]
  readonly batches: RecordBatch[]
  readonly asked: PartitionRange[]
  readonly revoked: TopicPartition[]
}

interface Listening {
  readonly untilEnd?: boolean
  readonly startAt?: (range: PartitionRange) => bigint | null
  readonly until?: (heard: Heard) => boolean
  readonly onBatch?: (heard: Heard) => Promise<void>
}

async function listen(source: KafkaSource, options: Listening = {}): Promise<Heard> {
  const heard: Heard = { values: [], batches: [], asked: [], revoked: [] }
  const { untilEnd = true, startAt = (range: PartitionRange) => range.startOffset } = options
  const batches = source.read({
    untilEnd,
    startAt: async (range) => {
      heard.asked.push(range)
      return startAt(range)
    },
    onRevoked: async (partitions) => {
      heard.revoked.push(...partitions)
    },
  })
  for await (const batch of batches) {
    if (batch !== null) {
      heard.batches.push(batch)
      heard.values.push(
        ...batch.records.map(({ value }) => String(value === null ? null : Buffer.from(value))),
      )
      await options.onBatch?.(heard)
    }
    if (options.until?.(heard) === true) break
  }
  return heard
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i))

describe('a topic', () => {
  test('is read once from its start to its end, with keys, headers and times as they were', async () => {
    const topic = await topicOf()
    await producing(async (producer) => {
      const headers = { a: 'x', b: ['1', '2'] }
      await producer.send({
        topic,
        messages: [{ key: 'k', value: 'v', headers, timestamp: '1772368215500' }],
      })
      await producer.send({ topic, messages: [{ key: null, value: null }] })
    })
    const { batches } = await listen(sourceOf({ topics: [topic] }))
    const [first, second] = batches.flatMap(({ records }) => records)
    expect(first).toMatchObject({ topic, partition: 0, offset: 0n, timestampMs: 1_772_368_215_500 })
    expect([first!.key, first!.value].map((bytes) => String(bytes))).toEqual(['k', 'v'])
    expect(first!.headers.map(([name, value]) => [name, String(value)])).toEqual([
      ['a', 'x'],
      ['b', '1'],
      ['b', '2'],
    ])
    expect(second).toMatchObject({ offset: 1n, key: null, value: null })
    expect(batches.at(-1)!.nextOffset).toBe(2n)
  })

  test('is read from the offset that is asked for, whatever the group remembers', async () => {
    const topic = await topicOf()
    const groupId = `group-${topic}`
    await send(topic, numbers(0, 100))
    for (const offset of ['90', '0', '50']) {
      await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset }] })
      const source = sourceOf({ topics: [topic], groupId })
      const { values } = await listen(source, { startAt: () => 50n })
      expect(values).toEqual(numbers(50, 100))
      await source.close()
    }
  })

  test('is not read at all when its reader says so', async () => {
    const topic = await topicOf()
    await send(topic, ['a'])
    expect((await listen(sourceOf({ topics: [topic] }), { startAt: () => null })).batches).toEqual([])
  })

  test('that Kafka keeps for itself is never read', async () => {
    const ranges = await sourceOf({ topics: ['*'] }).partitions()
    expect(ranges.map(({ topic }) => topic).filter((topic) => topic.startsWith('_'))).toEqual([])
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] satisfies CompressionName[])(
    'may be compressed with %s',
    async (name) => {
      const topic = await topicOf()
      const values = numbers(0, 3000).map((n) => `${n} ${'silt '.repeat(40)}`)
      produceByJava(topic, name, values)
      const { values: read } = await listen(sourceOf({ topics: [topic] }))
      expect(read).toEqual(values)
    },
  )

  test('that is named by nothing ends a run that is to end, with a cure', async () => {
    await expect(listen(sourceOf({ topics: ['nothing.*'] }))).rejects.toMatchObject({ code: 'E_NO_TOPIC' })
  })
})

describe('transactions', () => {
  test('that were aborted are not seen, and a partition ends behind its last control record', async () => {
    const topic = await topicOf()
    for (const [outcome, from, to] of [
      ['abort', 0, 20],
      ['abort', 20, 40],
      ['commit', 40, 60],
      ['abort', 60, 80],
      ['commit', 80, 100],
      ['abort', 100, 120],
    ] as const) {
      await producing(async (producer) => {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: numbers(from, to).map((value) => ({ value })) })
        await transaction[outcome]()
      }, `p-${topic}`)
    }
    const { values, batches } = await listen(sourceOf({ topics: [topic] }))
    expect(values).toEqual([...numbers(40, 60), ...numbers(80, 100)])
    expect(batches.at(-1)!.nextOffset).toBe(126n)
  })

  test('that overlap and were aborted in another order than they began are not seen', async () => {
    const topic = await topicOf()
    await producing(async (first) => {
      const one = await first.transaction()
      await one.send({ topic, messages: numbers(0, 10).map((value) => ({ value })) })
      await producing(async (second) => {
        const two = await second.transaction()
        await two.send({ topic, messages: numbers(10, 20).map((value) => ({ value })) })
        await one.send({ topic, messages: numbers(20, 30).map((value) => ({ value })) })
        await two.send({ topic, messages: numbers(30, 40).map((value) => ({ value })) })
        await two.abort()
      }, `two-${topic}`)
      await one.abort()
    }, `one-${topic}`)
    await send(topic, ['kept'])
    for (const from of [0n, 22n, 32n]) {
      const { values } = await listen(sourceOf({ topics: [topic] }), { startAt: () => from })
      expect(values).toEqual(['kept'])
    }
  })

  test('that are open end a run before them', async () => {
    const topic = await topicOf()
    await send(topic, ['a', 'b'])
    await producing(async (producer) => {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value: 'open' }] })
      const { values } = await listen(sourceOf({ topics: [topic] }))
      expect(values).toEqual(['a', 'b'])
      await transaction.commit()
    }, `open-${topic}`)
    expect((await listen(sourceOf({ topics: [topic] }))).values).toEqual(['a', 'b', 'open'])
  })
})

describe('while it is read', () => {
  test('topics and partitions that come are found', async () => {
    const topic = await topicOf()
    const later = `${topic}.later`
    await send(topic, ['a'])
    let step = 0
    const heard = await listen(sourceOf({ topics: [`${topic}*`] }), {
      untilEnd: false,
      until: ({ values }) => values.includes('c'),
      onBatch: async ({ values }) => {
        if (values.includes('a') && step === 0) {
          step = 1
          await admin.createTopics({ topics: [{ topic: later, numPartitions: 1 }], waitForLeaders: true })
          await send(later, ['b'])
        } else if (values.includes('b') && step === 1) {
          step = 2
          await admin.createPartitions({ topicPartitions: [{ topic: later, count: 2 }] })
          await send(later, ['c'], 1)
        }
      },
    })
    expect(heard.values).toEqual(expect.arrayContaining(['a', 'b', 'c']))
    expect(heard.asked.map((range) => `${range.topic}/${range.partition}`)).toContain(`${later}/1`)
  })

  test('a slow reader loses neither its place in the group nor a record', async () => {
    const topic = await topicOf()
    const values = numbers(0, 60).map((n) => `${n} ${'x'.repeat(900_000)}`)
    for (const value of values) await send(topic, [value])
    const source = sourceOf({ topics: [topic], sessionTimeoutMs: 6000 })
    const { batches, revoked } = await listen(source, {
      onBatch: () => new Promise((resolve) => setTimeout(resolve, 1500)),
    })
    expect(batches.flatMap(({ records }) => records.map(({ offset }) => Number(offset)))).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    )
    expect(revoked).toEqual([])
  })
})
