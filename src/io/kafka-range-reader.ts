import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { EngineError } from '../../core/errors.ts'
import type { OffsetRange, PartitionRange, RecordBatch } from '../../core/ports.ts'
import type { KafkaFetch } from '../config/kafka-settings.ts'
import { toKafkaError } from './kafka-error.ts'
import { KafkaInbox } from './kafka-inbox.ts'
import { recordOf, sizeOf } from './kafka-record.ts'

const INBOX_BYTES_MAX = 16 * 1024 * 1024
const POLL_MS = 100
/** Answers without a record, after which what is left of the range is taken for gaps. */
const EMPTY_ANSWERS = 3

export interface KafkaRangeOptions {
  readonly kafka: Kafka
  /** A group of its own, for this range alone: it commits nothing, and the brokers forget it. */
  readonly groupId: string
  readonly fetch: KafkaFetch
  /** What can be read of the partition now; `null`: it is gone. */
  readonly rangeOf: (partition: OffsetRange) => Promise<PartitionRange | null>
}

/**
 * Records of the past of one partition, beside whatever group reads the topic.
 *
 * @throws EngineError `E_OFFSET_GAP` (stop-table) when records of the range are gone; as `toKafkaError` says
 */
export async function* readKafkaRange(
  options: KafkaRangeOptions,
  range: OffsetRange,
): AsyncGenerator<RecordBatch> {
  if (range.fromOffset >= range.toOffset) return
  const reader = new RangeReader(options, range)
  try {
    await reader.start()
    for (;;) {
      const batch = await reader.take()
      if (batch === 'end') return
      if (batch !== null) yield batch
    }
  } catch (error) {
    throw toKafkaError(error, `cannot read ${range.topic} from ${range.fromOffset} on`)
  } finally {
    await reader.stop()
  }
}

class RangeReader {
  readonly #options: KafkaRangeOptions
  readonly #range: OffsetRange
  readonly #consumer: Consumer
  readonly #inbox = new KafkaInbox(INBOX_BYTES_MAX)
  /** The only offset at which a fetch is accepted. */
  #next: bigint
  #isPaused = false
  #emptyAnswers = 0
  #lookedAt: Promise<void> = Promise.resolve()

  constructor(options: KafkaRangeOptions, range: OffsetRange) {
    this.#options = options
    this.#range = range
    this.#next = range.fromOffset
    const { kafka, groupId, fetch } = options
    this.#consumer = kafka.consumer({
      groupId,
      minBytes: 1,
      maxWaitTimeInMs: fetch.maxWaitMs,
      maxBytesPerPartition: fetch.maxPartitionBytes,
      maxBytes: fetch.maxPartitionBytes,
      readUncommitted: false,
      allowAutoTopicCreation: false,
    })
    this.#listen()
  }

  async start(): Promise<void> {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [this.#range.topic], fromBeginning: true })
    await this.#consumer.run({ autoCommit: false, eachBatch: (payload) => this.#takeBatch(payload) })
  }

  async stop(): Promise<void> {
    await this.#consumer.disconnect()
  }

  /** @returns `null` when there is nothing now */
  async take(): Promise<RecordBatch | null | 'end'> {
    if (this.#inbox.isEmpty && this.#isDone) return 'end'
    const arrival = await this.#inbox.take(POLL_MS)
    if (this.#isPaused && this.#inbox.hasRoom) {
      this.#isPaused = false
      this.#consumer.resume(this.#partition())
    }
    if (arrival?.kind === 'failed') throw arrival.error
    return arrival?.kind === 'batch' ? arrival.batch : null
  }

  get #isDone(): boolean {
    return this.#next >= this.#range.toOffset || (this.#emptyAnswers >= EMPTY_ANSWERS && !this.#isPaused)
  }

  #partition() {
    return [{ topic: this.#range.topic, partitions: [this.#range.partition] }]
  }

  #listen(): void {
    const { events } = this.#consumer
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const others = (payload.memberAssignment[this.#range.topic] ?? []).filter(
        (partition) => partition !== this.#range.partition,
      )
      this.#consumer.pause([{ topic: this.#range.topic, partitions: others }])
      this.#seek()
    })
    this.#consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      if (!this.#isOurs(payload)) return
      this.#emptyAnswers = 0
      // A fetch of nothing but control records and aborted ones is told by this event alone.
      if (payload.batchSize === 0) this.#look({ ...payload, messages: [] })
    })
    this.#consumer.on(events.REQUEST, ({ payload }) => {
      if (payload.apiName === 'Fetch') this.#emptyAnswers++
    })
    this.#consumer.on(events.CRASH, ({ payload }) => {
      if (!payload.restart) this.#inbox.push({ kind: 'failed', error: payload.error })
    })
  }

  #isOurs({ topic, partition }: { readonly topic: string; readonly partition: number }): boolean {
    return topic === this.#range.topic && partition === this.#range.partition
  }

  async #takeBatch({ batch }: EachBatchPayload): Promise<void> {
    if (!this.#isOurs(batch)) return
    const { messages } = batch
    await this.#look({ firstOffset: batch.firstOffset(), lastOffset: batch.lastOffset(), messages })
  }

  #look(fetched: Fetched): Promise<void> {
    this.#lookedAt = this.#lookedAt
      .then(() => this.#accept(fetched))
      .catch((error: unknown) => this.#inbox.push({ kind: 'failed', error }))
    return this.#lookedAt
  }

  async #accept({ firstOffset, lastOffset, messages }: Fetched): Promise<void> {
    const first = BigInt(firstOffset ?? lastOffset)
    if (first !== this.#next && !(await this.#isGap(first))) return
    const { topic, partition, toOffset } = this.#range
    this.#next = BigInt(lastOffset) + 1n
    const records = messages
      .map((message) => recordOf(topic, partition, message))
      .filter(({ offset }) => offset < toOffset)
    const sizeBytes = records.reduce((sum, record) => sum + sizeOf(record), 0)
    const batch = { topic, partition, records, nextOffset: this.#next, sizeBytes }
    this.#inbox.push({ kind: 'batch', batch })
    if (this.#next < toOffset && (!this.#inbox.isFull || this.#isPaused)) return
    this.#isPaused = true
    this.#consumer.pause(this.#partition())
  }

  /** Compaction leaves gaps; but the library also answers a position out of range with the first record there is. */
  async #isGap(first: bigint): Promise<boolean> {
    const { topic, partition } = this.#range
    const range = await this.#options.rangeOf(this.#range)
    if (range === null || range.startOffset > this.#next) {
      const what = 'the records that were to be read are gone from the topic'
      throw new EngineError('E_OFFSET_GAP', 'stop-table', what, { topic, partition, offset: this.#next })
    }
    if (first > this.#next) return true
    this.#seek()
    return false
  }

  #seek(): void {
    const { topic, partition } = this.#range
    this.#emptyAnswers = 0
    this.#consumer.seek({ topic, partition, offset: String(this.#next) })
  }
}

interface Fetched {
  readonly firstOffset: string | null
  readonly lastOffset: string
  readonly messages: EachBatchPayload['batch']['messages']
}
