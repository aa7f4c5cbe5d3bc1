import { assert } from '../../core/assert.ts'
import { EngineError } from '../../core/errors.ts'
import type { PartitionRange } from '../../core/ports.ts'
import { partitionName, type TableProgress } from '../../writers/table-progress.ts'
import { PartitionProgress } from './partition-progress.ts'
import type { PassedPartition } from './passed-mark.ts'
import type { TableFlushes } from './table-flushes.ts'
import type { TableOwner } from './table-owner.ts'
import type { TableOwners } from './table-owners.ts'
import { TablePatterns } from './table-patterns.ts'
import type { PartitionRef, PipelineOptions } from './topic-work.ts'

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

  /** Whether a table, or the mark, is beyond the end of the range. */
  async areBeyond(range: PartitionRange, passed: PassedPartition | null): Promise<boolean> {
    const name = partitionName(range.topic, range.partition)
    const asked = new PartitionProgress(range, passed)
    const feeds = await this.#feeds(range.topic)
    return feeds.some(({ progress }) => asked.endsBefore(progress?.nextOffsets.get(name) ?? null))
  }

  /** @returns the next offset to read; `null`: it cannot be read on from where we were */
  async start(range: PartitionRange, passed: PassedPartition | null): Promise<bigint | null> {
    const { topic, partition } = range
    const name = partitionName(topic, partition)
    const feeds = await this.#feeds(topic)
    const ownNext = ({ progress }: Feed) => progress?.nextOffsets.get(name) ?? null
    const started = new PartitionProgress(range, passed)
    try {
      for (const feed of feeds) started.refuseShorter(ownNext(feed))
    } catch (error) {
      await this.breakTopic(topic, asEngineError(error))
      return null
    }
    this.#partitions.set(name, started)
    for (const feed of feeds) {
      const { owner, isKnown } = feed
      if (!this.#takes.covers(owner.contract.name)) continue
      const begin = async () => {
        started.refuseGap(ownNext(feed), owner)
        if (isKnown) this.#owners.begin(owner, started, ownNext(feed))
      }
      await this.#flushes.guarded(owner, begin, NOTHING)
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

  /** Stops the tables that are known to be fed by a topic; all its records are parked. */
  async breakTopic(topic: string, error: EngineError): Promise<void> {
    if (error.remedy !== 'stop-table') throw error
    if (this.#brokenTopics.has(topic)) return
    this.#brokenTopics.add(topic)
    const feeds = await this.#feeds(topic)
    const existing = feeds.filter(({ progress }) => progress !== null)
    for (const { owner } of existing.length > 0 ? existing : feeds.slice(0, 1)) {
      await this.#flushes.stop(owner, error)
    }
  }

  /** The table that a record belongs to which tells nothing itself, and before which no other has. */
  async firstOwnerOf(topic: string): Promise<TableOwner> {
    const [first] = await this.#feeds(topic)
    assert(first !== undefined, 'every topic can feed a table')
    return first.owner
  }

  giveUp(partitions: readonly PartitionRef[]): void {
    for (const { topic, partition } of partitions) {
      const name = partitionName(topic, partition)
      const progress = this.#partitions.get(name)
      this.#partitions.delete(name)
      this.#feedsOf.delete(topic)
      if (progress === undefined) continue
      for (const owner of this.#owners) {
        owner.starts.delete(progress)
        const isBehind = owner.holds.delete(progress) && owner.catchUp !== null
        if (owner.partitions.delete(progress) || isBehind) this.#flushes.park(owner.letGo())
      }
    }
    const isSplit = [...this.#owners].some(({ writer, partitions: fed }) => writer === null && fed.size > 0)
    assert(!isSplit, 'partitions that feed one table go together')
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
    const known = this.#feedsOf.get(topic)
    if (known !== undefined) return known
    const { tablesOf, contractFor } = this.#options
    const feeds: Feed[] = []
    for (const { name, table } of tablesOf(topic)) {
      const owner = this.#owners.of(contractFor(name))
      const look = async () => {
        if (table !== null) owner.standing = await this.#owners.standing(table)
      }
      await this.#flushes.guarded(owner, look, NOTHING)
      feeds.push({ owner, isKnown: table !== null, progress: owner.standing?.progress ?? null })
    }
    this.#feedsOf.set(topic, feeds)
    return feeds
  }
}

/** One of the tables that a topic can feed. */
interface Feed {
  readonly owner: TableOwner
  /** Whether it can be told where the table lies before a record names it. */
  readonly isKnown: boolean
  /** As its log said at the start; `null`: there is no table yet, or only a record can tell where it lies. */
  readonly progress: TableProgress | null
}

/** No record is concerned. */
const NOTHING = (): void => {}

export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  throw error
}
