import { assert } from '../../core/assert.ts'
import type { PartitionRange } from '../../core/ports.ts'
import { partitionName } from '../../writers/partition-name.ts'
import { type Feed, PartitionProgress } from './partition-progress.ts'
import type { PassedPartition } from './passed-mark.ts'
import type { TableFlushes } from './table-flushes.ts'
import type { TableOwner } from './table-owner.ts'
import type { TableOwners } from './table-owners.ts'
import { TablePatterns } from './table-patterns.ts'
import type { PartitionRef, PipelineOptions } from './topic-work.ts'
import type { PartitionSample } from './work-sample.ts'

/** The partitions that are ours: how they come and go, and what becomes of those that are not what they were. */
export class Partitions {
  readonly #options: PipelineOptions
  readonly #takes: TablePatterns
  readonly #owners: TableOwners
  readonly #flushes: TableFlushes
  readonly #partitions = new Map<string, PartitionProgress>()
  /** Topics that are not what they were, or have a gap. */
  readonly #brokenTopics = new Set<string>()
  readonly #feedsOf = new Map<string, readonly Feed[]>()

  constructor(options: PipelineOptions, owners: TableOwners, flushes: TableFlushes) {
    this.#options = options
    this.#takes = TablePatterns.of(options.takes)
    this.#owners = owners
    this.#flushes = flushes
  }

  /**
   * Whether the range holds what comes next for the mark and each table. If not, what is known of the tables may be old:
   * who had the partition before may have read and committed on, and retention gone after it. It has been read anew then.
   */
  async isWithin(range: PartitionRange, passed: PassedPartition | null): Promise<boolean> {
    const name = partitionName(range.topic, range.partition)
    const feeds = await this.#feeds(range.topic)
    const asked = new PartitionProgress(range, passed, feeds)
    const isWithin = feeds.every(({ progress }) => asked.holdsNext(progress?.nextOffsets.get(name) ?? null))
    if (!isWithin) await this.#readFeeds(range.topic)
    return isWithin
  }

  /** @returns the next offset to read; `null`: it cannot be read on from where we were */
  async start(range: PartitionRange, passed: PassedPartition | null): Promise<bigint | null> {
    const { topic, partition } = range
    const name = partitionName(topic, partition)
    const feeds = await this.#feeds(topic)
    const ownNext = ({ progress }: Feed) => progress?.nextOffsets.get(name) ?? null
    const started = new PartitionProgress(range, passed, feeds)
    try {
      for (const feed of feeds) started.refuseShorter(ownNext(feed))
    } catch (error) {
      this.breakTopic(started, error)
      return null
    }
    this.#partitions.set(name, started)
    for (const feed of feeds) {
      const { owner, isKnown } = feed
      if (!this.#takes.covers(owner.contract.name)) continue
      try {
        started.refuseGap(ownNext(feed), owner)
        if (isKnown) this.#owners.begin(owner, started, ownNext(feed))
      } catch (error) {
        this.#flushes.stop(owner, error)
      }
    }
    return started.readFrom()
  }

  of(partition: PartitionRef): PartitionProgress {
    const progress = this.find(partition)
    assert(progress !== null, 'a batch comes from a partition that was asked for')
    return progress
  }

  /** @returns `null` when it is not ours, or not any more */
  find({ topic, partition }: PartitionRef): PartitionProgress | null {
    return this.#partitions.get(partitionName(topic, partition)) ?? null
  }

  /** The partitions that feed a table, as far as is known. */
  feeding(owner: TableOwner): PartitionProgress[] {
    return [...this.#partitions.values()].filter(
      (progress) => owner.holds.has(progress) || this.#canFeed(progress.topic, owner),
    )
  }

  /** Whether the table is this process's to write. */
  has(owner: TableOwner): boolean {
    return this.feeding(owner).length > 0 || this.isBrokenFor(owner)
  }

  /** Whether a topic that feeds the table is not what it was. */
  isBrokenFor(owner: TableOwner): boolean {
    return [...this.#brokenTopics].some((topic) => this.#canFeed(topic, owner))
  }

  #canFeed(topic: string, owner: TableOwner): boolean {
    return this.#feedsOf.get(topic)?.some((feed) => feed.owner === owner) ?? false
  }

  isBroken(topic: string): boolean {
    return this.#brokenTopics.has(topic)
  }

  /**
   * Stops the tables that are known to be fed by a topic; all its records are parked.
   *
   * @throws `error` itself when it does not concern these tables alone
   */
  breakTopic({ topic, feeds }: PartitionProgress, error: unknown): void {
    if (this.#brokenTopics.has(topic)) return
    const existing = feeds.filter(({ progress }) => progress !== null)
    for (const { owner } of existing.length > 0 ? existing : feeds.slice(0, 1)) {
      this.#flushes.stop(owner, error)
    }
    this.#brokenTopics.add(topic)
  }

  /** What is in flight of their tables has come to an end when it resolves; nothing more of it is committed. */
  async giveUp(partitions: readonly PartitionRef[]): Promise<void> {
    const gone = new Set<PartitionProgress>()
    for (const { topic, partition } of partitions) {
      const name = partitionName(topic, partition)
      const progress = this.#partitions.get(name)
      if (progress !== undefined) gone.add(progress)
      this.#partitions.delete(name)
      this.#feedsOf.delete(topic)
    }
    const isGone = (progress: PartitionProgress) => gone.has(progress)
    const couldFeed = new Set([...gone].flatMap(({ feeds }) => feeds.map(({ owner }) => owner)))
    const touched = [...this.#owners].filter(
      (owner) =>
        [...owner.partitions].some(isGone) ||
        (owner.catchUp !== null && [...owner.holds].some(isGone)) ||
        // Opened for what is no record, see `MomentIntake`.
        (owner.writer !== null && owner.partitions.size === 0 && couldFeed.has(owner)),
    )
    await this.#flushes.drop(touched)
    for (const { writer } of touched) await writer?.settled()
    for (const owner of touched) owner.letGo()
    for (const owner of this.#owners) {
      for (const progress of gone) {
        owner.starts.delete(progress)
        owner.holds.delete(progress)
        owner.partitions.delete(progress)
      }
    }
    assert(
      touched.every((owner) => owner.partitions.size === 0),
      'partitions that feed one table go together',
    )
  }

  sample(): PartitionSample[] {
    return [...this.#partitions.values()].map(({ topic, partition, seenNext }) => {
      return { topic, partition, nextOffset: seenNext }
    })
  }

  /** How far every table has passed each partition; nothing of those that have a gap. */
  passed(): PassedPartition[] {
    const healthy = [...this.#partitions.values()].filter(
      ({ topic, hasGap }) => !hasGap && !this.#brokenTopics.has(topic),
    )
    return healthy.map((progress) => progress.passed())
  }

  /** The tables that a topic can feed and what they say of their progress, before any record has named them. */
  async #feeds(topic: string): Promise<readonly Feed[]> {
    return this.#feedsOf.get(topic) ?? this.#readFeeds(topic)
  }

  async #readFeeds(topic: string): Promise<readonly Feed[]> {
    const { tablesOf, contractFor } = this.#options
    const feeds: Feed[] = []
    for (const { name, table } of tablesOf(topic)) {
      const owner = this.#owners.of(contractFor(name))
      try {
        if (table !== null) owner.standing = await this.#owners.standing(table)
      } catch (error) {
        this.#flushes.stop(owner, error)
      }
      feeds.push({ owner, isKnown: table !== null, progress: owner.standing?.progress ?? null })
    }
    this.#feedsOf.set(topic, feeds)
    return feeds
  }
}
