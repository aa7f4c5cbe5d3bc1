import type { RawRecord } from '../../core/ports.ts'
import { type PartitionProgress, type Passed, passedBy } from './partition-progress.ts'
import type { TableOwner } from './table-owner.ts'
import type { PartitionRef } from './topic-work.ts'

/** Offsets that are read at a time: how far retention has come is looked at after each such range. */
const RANGE_MAX = 100_000n

/** Where a table is while it takes what it missed: behind the stream in some partitions, level with it in the end. */
export class CatchUp {
  /** Of what was asked for last. */
  asked: PartitionRef | null = null
  readonly #owner: TableOwner
  readonly #lanes = new Map<PartitionProgress, CatchUpLane>()

  /** @param starts where to begin in partitions of which the table has less than was read */
  constructor(owner: TableOwner, starts: ReadonlyMap<PartitionProgress, bigint>) {
    this.#owner = owner
    for (const [progress, from] of starts) this.begin(progress, from)
  }

  /** One partition more, of which the table wants what lies from an offset on. */
  begin(progress: PartitionProgress, from: bigint): void {
    this.#lanes.set(progress, new CatchUpLane(this.#owner, progress, from))
  }

  /** Whether records are what was asked for: there may still come some that the table wanted before it began anew. */
  isAsked({ topic, partition }: PartitionRef): boolean {
    return this.asked?.topic === topic && this.asked.partition === partition
  }

  passed(progress: PartitionProgress): Passed {
    return this.#lanes.get(progress)?.passed ?? progress.passedBy(this.#owner)
  }

  lane(progress: PartitionProgress): CatchUpLane {
    const known = this.#lanes.get(progress)
    if (known !== undefined) return known
    const lane = new CatchUpLane(this.#owner, progress, progress.passedBy(this.#owner).nextOffset)
    this.#lanes.set(progress, lane)
    return lane
  }

  /** What to read next; `null`: the table is level with the stream. */
  next(): { readonly progress: PartitionProgress; readonly from: bigint; readonly to: bigint } | null {
    for (const progress of this.#owner.holds) {
      const from = this.passed(progress).nextOffset
      const to = progress.seenNext < from + RANGE_MAX ? progress.seenNext : from + RANGE_MAX
      if (from < to) return { progress, from, to }
    }
    return null
  }

  /** Offsets that are still to be read, of all partitions. */
  get left(): bigint {
    let left = 0n
    for (const progress of this.#owner.holds) left += progress.seenNext - this.passed(progress).nextOffset
    return left
  }
}

/** One partition of a table that catches up. */
export class CatchUpLane {
  /** As of a partition: see `PartitionProgress`. */
  lastOwner: TableOwner | null = null
  readonly #progress: PartitionProgress
  /** How far the table had come before. */
  readonly #before: Passed
  #passed: Passed

  constructor(owner: TableOwner, progress: PartitionProgress, from: bigint) {
    this.#progress = progress
    this.#before = progress.passedBy(owner)
    this.#passed = { ...this.#before, nextOffset: from, lastOwner: null }
  }

  get passed(): Passed {
    return this.#passed
  }

  /** Whether the record is one that the table has still to take; must be asked of all records, in order. */
  isDue({ offset }: RawRecord): boolean {
    if (offset < this.#passed.nextOffset || offset >= this.#progress.seenNext) return false
    const isFirst = offset >= this.#before.nextOffset && this.#passed.nextOffset <= this.#before.nextOffset
    if (isFirst) this.lastOwner = this.#before.lastOwner
    return true
  }

  see(record: RawRecord): void {
    this.#passed = passedBy(record, this.lastOwner)
  }

  noteLetter(owner: TableOwner, record: RawRecord): boolean {
    return this.#progress.noteLetter(owner, record)
  }

  /** Notes that there are no records before this offset that have not been seen. */
  seeOffsetsBefore(offset: bigint): void {
    const nextOffset = offset < this.#progress.seenNext ? offset : this.#progress.seenNext
    if (this.#passed.nextOffset < nextOffset) this.#passed = { ...this.#passed, nextOffset }
  }
}
