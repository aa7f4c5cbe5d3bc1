import type { Admin, Kafka } from 'kafkajs'
import type { PartitionRange } from '../../core/ports.ts'
import { toKafkaError } from './kafka-error.ts'
import { nameOf } from './kafka-inbox.ts'
import { rangesOf, selectTopics } from './kafka-topics.ts'

/** What the brokers tell of their topics. */
export class KafkaCluster {
  readonly #client: () => Promise<Kafka>
  readonly #globs: readonly string[]
  #admin: Promise<Admin> | null = null
  /** Topics that the present client was asked about. */
  readonly #known = new Set<string>()

  /** @param globs which topics are meant */
  constructor(client: () => Promise<Kafka>, globs: readonly string[]) {
    this.#client = client
    this.#globs = globs
  }

  /** The topics that there are, and that are meant, in order of name. */
  async topics(): Promise<readonly string[]> {
    return selectTopics(await this.#list(), this.#globs)
  }

  /** What can be read of these topics, by `topic/partition`; nothing of those that are gone. */
  async ranges(topics: Iterable<string>): Promise<ReadonlyMap<string, PartitionRange>> {
    const listed = new Set(await this.#list())
    // The library asks for all topics that it ever heard of at once, and fails for all when one of them is gone.
    if ([...this.#known].some((topic) => !listed.has(topic))) await this.close()
    const ranges = new Map<string, PartitionRange>()
    for (const topic of topics) {
      if (!listed.has(topic)) continue
      this.#known.add(topic)
      const found = await this.#ask(`cannot ask for the offsets of ${topic}`, (admin) =>
        rangesOf(admin, topic),
      )
      for (const range of found) ranges.set(nameOf(range), range)
    }
    return ranges
  }

  /** By partition, the first offset whose record is not older; the end where there is none. */
  async offsetsSince(topic: string, sinceMs: number): Promise<ReadonlyMap<number, bigint>> {
    const found = await this.#ask(`cannot ask for the offsets of ${topic} by time`, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, sinceMs),
    )
    return new Map(found.map(({ partition, offset }) => [partition, BigInt(offset)]))
  }

  async close(): Promise<void> {
    const admin = this.#admin
    this.#admin = null
    this.#known.clear()
    await (await admin?.catch(() => null))?.disconnect()
  }

  #list(): Promise<readonly string[]> {
    return this.#ask('cannot list the topics', (admin) => admin.listTopics())
  }

  async #ask<T>(what: string, question: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      this.#admin ??= this.#connect()
      return await question(await this.#admin)
    } catch (error) {
      throw toKafkaError(error, what)
    }
  }

  async #connect(): Promise<Admin> {
    try {
      const admin = (await this.#client()).admin()
      await admin.connect()
      return admin
    } catch (error) {
      this.#admin = null
      throw error
    }
  }
}
