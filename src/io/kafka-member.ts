import type { Consumer, EachBatchPayload, IMemberAssignment, Kafka } from 'kafkajs'
import type { Logger, PartitionPosition, PartitionRange, RecordBatch } from '../../core/ports.ts'
import type { KafkaFetch } from '../config/kafka-settings.ts'
import { tableAssigner } from './kafka-assigner.ts'
import { type TopicTies, tiedTopics } from './kafka-assignment.ts'
import { type AskedPartition, type KafkaInbox, nameOf, type TopicPartition } from './kafka-inbox.ts'
import { isKnown, type KnownRecord, knownRecord } from './kafka-known-record.ts'
import { recordOf, sizeOf } from './kafka-record.ts'
import type { RecordSizes } from './kafka-record-sizes.ts'
import { isGone } from './kafka-topics.ts'

/** A third of the shortest session that brokers allow. */
const HEARTBEAT_MS = 2000
const REBALANCE_TIMEOUT_MS = 60_000
/** Answers without a record, after which what is left of a partition is taken for gaps. */
const EMPTY_ANSWERS = 3

export interface MemberOptions {
  readonly kafka: Kafka
  readonly groupId: string
  readonly topics: readonly string[]
  readonly ties: TopicTies
  /** Of the records that this process has seen, in this membership and those before it. */
  readonly recordSizes: RecordSizes
  readonly fetch: KafkaFetch
  readonly sessionTimeoutMs: number
  readonly topicsAgeMs: number
  readonly inbox: KafkaInbox
  readonly logger: Logger
  /** Asked when a fetch is not what was asked for. */
  readonly rangeOf: (partition: TopicPartition) => Promise<PartitionRange | null>
  /** Whether to go on after the client gave up on the brokers. */
  readonly mayRestart: () => boolean
}

/** A partition that the group gave us. */
interface Held extends TopicPartition {
  ask: number
  /** `asked`: nobody has said yet where to read from. `unread`: it is ours and not to be read. */
  phase: 'asked' | 'reading' | 'unread'
  /** The next offset to hand out. */
  fetchNext: bigint
  /** The last record that was handed out. */
  last: KnownRecord | null
  /**
   * The group was joined anew since, or brokers were asked for the topic: it may have been deleted and made anew, or its
   * tail lost. The last record is read once more to see that it is what it was.
   */
  isDoubted: boolean
}

/** The only offset at which a fetch is accepted. */
function fetchFrom({ fetchNext, last, isDoubted }: Held): bigint {
  return isDoubted && last !== null ? last.offset : fetchNext
}

function freshlyHeld(partition: TopicPartition, ask: number): Held {
  return { ...partition, ask, phase: 'asked', fetchNext: 0n, last: null, isDoubted: false }
}

/** What of a partition came in one fetch. Offsets count records that are not handed out (control, aborted). */
interface Fetched extends TopicPartition {
  readonly firstOffset: bigint
  readonly nextOffset: bigint
  readonly messages: EachBatchPayload['batch']['messages']
}

/**
 * One membership in a consumer group, from joining to leaving.
 *
 * kafkajs goes back to the group's own offsets at every rebalance and after every lost connection; it is told our
 * position each time before it fetches, and a fetch from anywhere else is not taken in.
 */
export class KafkaMember {
  readonly #options: MemberOptions
  readonly #consumer: Consumer
  readonly #held = new Map<string, Held>()
  /** As the group calls us; another one when it has counted us out and we came back. */
  #memberId: string | null = null
  #isRunning = false
  #hasJoined = false
  #isPaused = false
  /** Fetches are looked at one after the other, also those of which only an event tells. */
  #lookedAt: Promise<void> = Promise.resolve()
  #emptyAnswers = 0
  #asks = 0

  constructor(options: MemberOptions) {
    this.#options = options
    const { kafka, groupId, ties, recordSizes, fetch, sessionTimeoutMs, topicsAgeMs, mayRestart } = options
    this.#consumer = kafka.consumer({
      groupId,
      partitionAssigners: [tableAssigner(ties, recordSizes, options.logger)],
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      metadataMaxAge: topicsAgeMs,
      minBytes: fetch.minBytes,
      maxWaitTimeInMs: fetch.maxWaitMs,
      maxBytesPerPartition: fetch.maxPartitionBytes,
      maxBytes: fetch.maxPartitionBytes,
      readUncommitted: false,
      allowAutoTopicCreation: false,
      retry: { restartOnFailure: async () => mayRestart() },
    })
    this.#listen()
  }

  get hasJoined(): boolean {
    return this.#hasJoined
  }

  /** Whatever is not read by now is nothing that a reader gets to see: compacted away in a batch that is kept empty. */
  get hasNothingMore(): boolean {
    return this.#emptyAnswers >= EMPTY_ANSWERS && !this.#isPaused
  }

  /** Whether others are in the group: they may have had our partitions a moment ago. */
  async hasCompany(): Promise<boolean> {
    return (await this.#consumer.describeGroup()).members.length > 1
  }

  /** Whether the group has not counted us out since we joined. It tells nobody who does not ask. */
  async isCountedIn(): Promise<boolean> {
    const { members } = await this.#consumer.describeGroup()
    return members.some(({ memberId }) => memberId === this.#memberId)
  }

  async start(): Promise<void> {
    const { topics } = this.#options
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true })
    this.#isRunning = true
    await this.#consumer.run({ autoCommit: false, eachBatch: (payload) => this.#takeBatch(payload) })
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    await this.#consumer.disconnect()
  }

  /** Whether every partition of ours has been read up to the offset given for it. */
  hasRead(endOf: (partition: TopicPartition) => bigint): boolean {
    return [...this.#held.values()].every(
      (held) => held.phase === 'unread' || (held.phase === 'reading' && held.fetchNext >= endOf(held)),
    )
  }

  get partitions(): readonly TopicPartition[] {
    return [...this.#held.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** @param offset where to read an assigned partition from; `null`: not at all */
  readFrom(partition: AskedPartition, offset: bigint | null): void {
    const held = this.#held.get(nameOf(partition))
    if (held?.ask !== partition.ask || !this.#isRunning) return
    held.phase = offset === null ? 'unread' : 'reading'
    if (offset !== null) {
      held.fetchNext = offset
      this.#seek(held)
    }
    this.#pauseAndResume()
  }

  /** Whether the answer still counts: the partition has not gone since. */
  isAsked(partition: AskedPartition): boolean {
    return this.#held.get(nameOf(partition))?.ask === partition.ask
  }

  /** To be called when batches were taken out of the inbox. */
  noteRoom(): void {
    if (!this.#isPaused || !this.#options.inbox.hasRoom) return
    this.#isPaused = false
    this.#pauseAndResume()
  }

  /** A copy for people and their tools; that it fails harms nothing. */
  async commit(positions: readonly PartitionPosition[]): Promise<void> {
    const ours = positions.filter((at) => this.#held.get(nameOf(at))?.phase === 'reading')
    if (ours.length === 0 || !this.#isRunning) return
    try {
      await this.#consumer.commitOffsets(
        ours.map(({ topic, partition, nextOffset }) => ({ topic, partition, offset: String(nextOffset) })),
      )
    } catch (error) {
      this.#options.logger.warn(
        { event: 'kafka.offsets-not-taken', error: String(error) },
        'the group did not take our offsets; the tables have them',
      )
    }
  }

  #listen(): void {
    const { events } = this.#consumer
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) =>
      this.#noteAssignment(payload.memberAssignment, payload.memberId),
    )
    this.#consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      this.#emptyAnswers = 0
      // A fetch of nothing but control records and aborted ones is told by this event alone.
      if (payload.batchSize === 0) this.#look({ ...payload, ...offsetsOf(payload), messages: [] })
    })
    this.#consumer.on(events.REQUEST, ({ payload }) => {
      if (payload.apiName === 'Fetch') this.#emptyAnswers++
      // The library asks where topics are when a broker did not know one of them, and every so often.
      if (payload.apiName === 'Metadata') this.#doubtAll()
    })
    this.#consumer.on(events.CRASH, ({ payload }) => {
      if (!payload.restart) this.#options.inbox.push({ kind: 'failed', error: payload.error })
      else if (isGone(payload.error)) this.#options.inbox.push({ kind: 'topic-missed' })
    })
  }

  /**
   * Runs before anything is fetched under the new assignment: nothing may be awaited in here. What comes back to a member
   * that was counted out meanwhile may have been another one's: it goes, and comes anew.
   */
  #noteAssignment(assignment: IMemberAssignment, memberId: string): void {
    if (!this.#isRunning) return
    const { inbox } = this.#options
    this.#emptyAnswers = 0
    const given = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    const names = new Set(given.map(nameOf))
    const isSame = memberId === this.#memberId
    this.#memberId = memberId
    const gone = this.partitions.filter((each) => !isSame || !names.has(nameOf(each)))
    const lost = this.#withTied(gone)
    for (const each of lost) this.#held.delete(nameOf(each))
    const fresh = given
      .filter((each) => !this.#held.has(nameOf(each)))
      .map((each) => ({ ...each, ask: ++this.#asks }))
    this.#doubtAll()
    for (const each of fresh) this.#held.set(nameOf(each), freshlyHeld(each, each.ask))
    this.#pauseAndResume()
    const lostNames = new Set(lost.map(nameOf))
    inbox.dropBatches((each) => lostNames.has(nameOf(each)))
    if (lost.length > 0) inbox.push({ kind: 'revoked', partitions: lost })
    inbox.push({ kind: 'assigned', partitions: fresh })
    this.#hasJoined = true
  }

  #doubtAll(): void {
    for (const held of this.#held.values()) {
      held.isDoubted = true
      if (held.phase === 'reading') this.#seek(held)
    }
  }

  async #takeBatch({ batch }: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = batch
    const offsets = offsetsOf({ firstOffset: batch.firstOffset(), lastOffset: batch.lastOffset() })
    await this.#look({ topic, partition, ...offsets, messages })
  }

  #look(fetched: Fetched): Promise<void> {
    this.#lookedAt = this.#lookedAt
      .then(() => this.#accept(fetched))
      .catch((error: unknown) => {
        const held = this.#held.get(nameOf(fetched))
        if (held?.phase === 'reading' && this.#isRunning) this.#seek(held)
        this.#options.logger.warn(
          { event: 'kafka.fetch-repeated', error: String(error) },
          'a fetch could not be looked at and is made again',
        )
      })
    return this.#lookedAt
  }

  async #accept(fetched: Fetched): Promise<void> {
    const held = this.#held.get(nameOf(fetched))
    if (held?.phase !== 'reading') return
    const asked = fetchFrom(held)
    if (fetched.firstOffset !== asked) {
      const isFit = await this.#isGap(held, fetched)
      if (this.#held.get(nameOf(fetched)) !== held || fetchFrom(held) !== asked || !isFit) return
    } else if (asked < held.fetchNext && !isKnown(held.last!, fetched.messages[0])) {
      return this.#askAnew(held)
    }
    held.isDoubted = false
    this.#handOut(held, fetched)
    if (!this.#options.inbox.isFull || this.#isPaused) return
    this.#isPaused = true
    this.#pauseAndResume()
  }

  #handOut(held: Held, { nextOffset, messages }: Fetched): void {
    const fresh = messages.filter(({ offset }) => BigInt(offset) >= held.fetchNext)
    if (nextOffset <= held.fetchNext) return
    held.fetchNext = nextOffset
    const newest = fresh.at(-1)
    if (newest !== undefined) held.last = knownRecord(newest)
    const { topic, partition } = held
    const batch = batchOf({ topic, partition, nextOffset, messages: fresh })
    this.#options.recordSizes.note(topic, batch.records.length, batch.sizeBytes)
    this.#options.inbox.push({ kind: 'batch', batch })
  }

  /**
   * A fetch does not begin where it was asked to. Compaction leaves gaps; but the library also answers a position that
   * is out of range with the first record there is, which would skip records that retention took, or begin a topic anew.
   */
  async #isGap(held: Held, fetched: Fetched): Promise<boolean> {
    const range = await this.#options.rangeOf(held)
    if (range === null) return false
    if (range.startOffset > held.fetchNext || range.endOffset < held.fetchNext) {
      this.#askAnew(held)
      return false
    }
    if (fetched.firstOffset > fetchFrom(held)) return true
    held.isDoubted = true
    this.#seek(held)
    return false
  }

  /** The partition is not what it was: it goes and comes again, so that whoever owns its position decides. */
  #askAnew(held: Held): void {
    const { inbox } = this.#options
    const partitions = this.#withTied([held]).map((each) => ({ ...each, ask: ++this.#asks }))
    for (const each of partitions) this.#held.set(nameOf(each), freshlyHeld(each, each.ask))
    this.#pauseAndResume()
    inbox.push({ kind: 'revoked', partitions })
    inbox.push({ kind: 'assigned', partitions })
  }

  /** Partitions that feed one table go together, since what the table holds of them is dropped together. */
  #withTied(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
    if (partitions.length === 0) return []
    const held = this.partitions
    const topics = held.map(({ topic }) => topic)
    const tied = tiedTopics(
      partitions.map(({ topic }) => topic),
      topics,
      (topic) => this.#options.ties.tablesOf(topic),
    )
    return held.filter(({ topic }) => tied.has(topic))
  }

  #seek(held: Held): void {
    const { topic, partition } = held
    this.#emptyAnswers = 0
    this.#consumer.seek({ topic, partition, offset: String(fetchFrom(held)) })
  }

  /** The library forgets its pauses when it starts anew, so that all of them are said again. */
  #pauseAndResume(): void {
    this.#emptyAnswers = 0
    for (const { topic, partition, phase } of this.#held.values()) {
      const each = [{ topic, partitions: [partition] }]
      if (this.#isPaused || phase !== 'reading') this.#consumer.pause(each)
      else this.#consumer.resume(each)
    }
  }
}

/** Without a first offset the fetch held only records below the one asked for; the library steps on by one. */
function offsetsOf({ firstOffset, lastOffset }: { firstOffset: string | null; lastOffset: string }) {
  return { firstOffset: BigInt(firstOffset ?? lastOffset), nextOffset: BigInt(lastOffset) + 1n }
}

function batchOf({ topic, partition, messages, nextOffset }: Omit<Fetched, 'firstOffset'>): RecordBatch {
  const records = messages.map((message) => recordOf(topic, partition, message))
  const sizeBytes = records.reduce((sum, record) => sum + sizeOf(record), 0)
  return { topic, partition, records, nextOffset, sizeBytes }
}
