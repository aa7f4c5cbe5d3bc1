import type { Kafka } from 'kafkajs'
import { EngineError } from '../../core/errors.ts'
import { type Observe, unobserved } from '../../core/fact.ts'
import type {
  ChangeSource,
  Clock,
  Logger,
  OffsetRange,
  PartitionPosition,
  PartitionRange,
  ReadOptions,
  RecordBatch,
  TopicTimes,
} from '../../core/ports.ts'
import type { KafkaSettings } from '../config/kafka-settings.ts'
import type { TopicTies } from './kafka-assignment.ts'
import { KafkaCluster } from './kafka-cluster.ts'
import { openKafka } from './kafka-connection.ts'
import { toKafkaError } from './kafka-error.ts'
import { type Arrival, type AskedPartition, KafkaInbox, nameOf, type TopicPartition } from './kafka-inbox.ts'
import { KafkaMember } from './kafka-member.ts'
import { readKafkaRange } from './kafka-range-reader.ts'
import { RecordSizes } from './kafka-record-sizes.ts'
import { systemRandom } from './system-random.ts'

/** Fetched and not yet asked for; the greatest answer of the brokers comes on top. */
const INBOX_BYTES_MAX = 32 * 1024 * 1024
/** How long a reader waits before it is told that there is nothing now. */
const POLL_MS = 100
/** A run that is to end does not wait for ever for brokers that are gone. */
const RESTARTS_MAX = 5
/** Without a record for so long, what a run still waits for is looked at again. */
const QUIET_MS = 3000
/** A topic that was not listed once may be listed again by then. */
const MISSED_AGAIN_MS = 1000
/** A commit that was under way when a table changed hands has ended by then. */
const FORMER_OWNER_MS = 2000
/** Leaving the group takes its answer; a broker that is gone gives none. */
const LEAVE_MS = 8000

export interface KafkaSourceOptions {
  readonly settings: KafkaSettings
  /** What stays together with one member of the group. */
  readonly ties: TopicTies
  readonly clock: Clock
  readonly logger: Logger
  readonly observe?: Observe
}

/** Topics of Kafka, or of what speaks its protocol (Redpanda, Event Hubs), read as a member of a consumer group. */
export class KafkaSource implements ChangeSource, TopicTimes {
  readonly #options: KafkaSourceOptions
  readonly #observe: Observe
  #kafka: Promise<Kafka> | null = null
  readonly #cluster: KafkaCluster
  #member: KafkaMember | null = null
  /** Topics that the member has subscribed to. */
  #topics: readonly string[] = []
  #topicsDueAtMs = 0
  /** Those that the brokers did not list when they were last asked: they are gone when it happens twice. */
  #missed: ReadonlySet<string> = new Set()
  readonly #recordSizes = new RecordSizes()
  #inbox = new KafkaInbox(INBOX_BYTES_MAX)
  #restarts = 0
  #isClosed = false

  constructor(options: KafkaSourceOptions) {
    this.#options = options
    this.#observe = options.observe ?? unobserved
    this.#cluster = new KafkaCluster(() => this.#client(), options.settings.topics)
  }

  async partitions(): Promise<readonly PartitionRange[]> {
    return [...(await this.#cluster.ranges(await this.#cluster.topics())).values()]
  }

  async *read(options: ReadOptions): AsyncGenerator<RecordBatch | null> {
    const ends = new Map((await this.partitions()).map((range) => [nameOf(range), range.endOffset]))
    const endOf = (each: TopicPartition) => ends.get(nameOf(each)) ?? 0n
    const { clock, settings } = this.#options
    await this.#join(await this.#cluster.topics(), options)
    let heardAtMs = clock.monotonicMs()
    // What is to end reads what there was at the start.
    this.#topicsDueAtMs = options.untilEnd ? Infinity : heardAtMs + settings.topicsAgeMs
    while (!this.#isClosed) {
      if (options.untilEnd && this.#isAtEnd(endOf)) return
      const arrival = await this.#inbox.take(POLL_MS)
      this.#member?.noteRoom()
      const nowMs = clock.monotonicMs()
      if (arrival?.kind === 'batch') yield arrival.batch
      else if (arrival !== null) await this.#follow(arrival, options)
      else if (options.untilEnd && nowMs - heardAtMs > QUIET_MS && (await this.#hasNothingMore())) return
      else yield null
      if (arrival !== null) heardAtMs = nowMs
      if (nowMs >= this.#topicsDueAtMs) await this.#followTopics(options)
    }
  }

  async *readRange(range: OffsetRange): AsyncGenerator<RecordBatch> {
    const { groupId, fetch } = this.#options.settings
    const options = {
      kafka: await this.#client(),
      groupId: `${groupId}-range-${systemRandom.uuid()}`,
      fetch,
      rangeOf: async (each: TopicPartition) =>
        (await this.#cluster.ranges([each.topic])).get(nameOf(each)) ?? null,
    }
    yield* readKafkaRange(options, range)
  }

  offsetsSince(topic: string, sinceMs: number): Promise<ReadonlyMap<number, bigint>> {
    return this.#cluster.offsetsSince(topic, sinceMs)
  }

  async stillHolds(): Promise<boolean> {
    try {
      return (await this.#member?.isCountedIn()) === true
    } catch (error) {
      this.#options.logger.warn(
        { event: 'kafka.group-silent', error: String(error) },
        'the group could not be asked for its members',
      )
      return false
    }
  }

  async ack(positions: readonly PartitionPosition[]): Promise<void> {
    await this.#member?.commit(positions)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const leaving = [this.#member?.stop(), this.#cluster.close()]
    const left = new AbortController()
    const gone = Promise.allSettled(leaving).then(() => left.abort())
    await Promise.race([gone, this.#options.clock.sleep(LEAVE_MS, left.signal)])
  }

  /** @throws EngineError `E_NO_TOPIC` (usage) when a run that is to end has nothing to read */
  async #join(topics: readonly string[], { untilEnd }: ReadOptions): Promise<void> {
    const { settings, ties, logger } = this.#options
    this.#topics = topics
    this.#inbox = new KafkaInbox(INBOX_BYTES_MAX)
    this.#member = null
    if (topics.length === 0) {
      const message = `no topic is named like ${settings.topics.join(', ')}; see \`topics\` of the source`
      if (untilEnd) throw new EngineError('E_NO_TOPIC', 'usage', message)
      logger.warn({ event: 'kafka.no-topic' }, `${message}; waiting for one`)
      return
    }
    const member = new KafkaMember({
      kafka: await this.#client(),
      groupId: settings.groupId,
      topics,
      ties,
      recordSizes: this.#recordSizes,
      fetch: settings.fetch,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      topicsAgeMs: settings.topicsAgeMs,
      inbox: this.#inbox,
      logger,
      rangeOf: async (each) => (await this.#cluster.ranges([each.topic])).get(nameOf(each)) ?? null,
      mayRestart: () => !this.#isClosed && (!untilEnd || ++this.#restarts <= RESTARTS_MAX),
    })
    this.#member = member
    try {
      await member.start()
    } catch (error) {
      throw toKafkaError(error, `cannot join the group ${settings.groupId}`)
    }
  }

  async #follow(arrival: Exclude<Arrival, { kind: 'batch' }>, options: ReadOptions): Promise<void> {
    switch (arrival.kind) {
      case 'revoked':
        this.#observe({ kind: 'partitions-moved', given: 0, taken: arrival.partitions.length })
        return options.onRevoked(arrival.partitions)
      case 'assigned':
        return this.#startAssigned(arrival.partitions, options)
      case 'topic-missed':
        this.#topicsDueAtMs = 0
        return
      case 'failed':
        throw toKafkaError(arrival.error, 'the brokers cannot be read')
      default:
        return arrival satisfies never
    }
  }

  async #startAssigned(partitions: readonly AskedPartition[], { startAt }: ReadOptions): Promise<void> {
    this.#observe({ kind: 'partitions-moved', given: partitions.length, taken: 0 })
    if (partitions.length === 0) return
    await this.#awaitFormerOwners()
    const ranges = await this.#cluster.ranges(new Set(partitions.map(({ topic }) => topic)))
    for (const each of partitions) {
      // It may have gone while we asked.
      if (this.#member?.isAsked(each) !== true) continue
      const range = ranges.get(nameOf(each))
      const next = range === undefined ? null : await startAt(range)
      const isBelow = next !== null && range !== undefined && next < range.startOffset
      this.#member.readFrom(each, isBelow ? range.startOffset : next)
    }
  }

  /**
   * The library cannot hold up a rebalance until a table is written: whoever had it may be in the middle of a commit,
   * which would make ours look like a stranger's.
   */
  async #awaitFormerOwners(): Promise<void> {
    try {
      if (await this.#member?.hasCompany()) await this.#options.clock.sleep(FORMER_OWNER_MS)
    } catch (error) {
      throw toKafkaError(error, `cannot ask for the members of ${this.#options.settings.groupId}`)
    }
  }

  /** Topics that came or went since: a subscription cannot be changed, so the member leaves and another one joins. */
  async #followTopics(options: ReadOptions): Promise<void> {
    const { logger, clock, settings } = this.#options
    this.#topicsDueAtMs = options.untilEnd ? Infinity : clock.monotonicMs() + settings.topicsAgeMs
    let topics: readonly string[]
    try {
      topics = await this.#cluster.topics()
    } catch (error) {
      return logger.warn(
        { event: 'kafka.topics-unlisted', error: String(error) },
        'the topics could not be listed; they are asked for again',
      )
    }
    const gone = this.#topics.filter((topic) => !topics.includes(topic))
    const isCertain = gone.every((topic) => this.#missed.has(topic))
    this.#missed = new Set(gone)
    if (!isCertain) this.#topicsDueAtMs = clock.monotonicMs() + MISSED_AGAIN_MS
    if (!isCertain || (gone.length === 0 && topics.length === this.#topics.length)) return
    logger.info({ event: 'kafka.topics-changed', topics }, 'topics came or went; joining the group anew')
    const held = this.#member?.partitions ?? []
    await this.#member?.stop()
    if (held.length > 0) await options.onRevoked(held)
    for (const each of held.filter(({ topic }) => gone.includes(topic))) {
      // Whoever owns its position finds that the topic does not reach it.
      await options.startAt({ ...each, startOffset: 0n, endOffset: 0n })
    }
    await this.#join(topics, options)
  }

  #isAtEnd(endOf: (partition: TopicPartition) => bigint): boolean {
    return this.#inbox.isEmpty && this.#member?.hasJoined === true && this.#member.hasRead(endOf)
  }

  /**
   * Compaction can leave an empty batch at the end of a partition, which the library never tells of. When the brokers
   * answer and have nothing for us, nothing is left that a reader could get.
   */
  async #hasNothingMore(): Promise<boolean> {
    if (this.#member?.hasNothingMore !== true) return false
    await this.partitions()
    return this.#member.hasNothingMore
  }

  #client(): Promise<Kafka> {
    this.#kafka ??= openKafka(
      this.#options.settings,
      this.#options.clock,
      this.#options.logger,
      this.#observe,
    )
    return this.#kafka
  }
}
