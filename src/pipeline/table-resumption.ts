import type { EngineError } from '../../core/errors.ts'
import type { OffsetRange, PartitionRange } from '../../core/ports.ts'
import { CatchUp } from './catch-up.ts'
import type { PartitionProgress } from './partition-progress.ts'
import type { Partitions } from './partitions.ts'
import type { TableFlushes } from './table-flushes.ts'
import type { TableOwner } from './table-owner.ts'
import type { TableOwners } from './table-owners.ts'
import type { CatchUpRange, ResumeAnswer, ResumeOrder } from './topic-work.ts'

/** How tables are held, and how those that stood still take what they missed and join the stream again. */
export class TableResumption {
  readonly #owners: TableOwners
  readonly #partitions: Partitions
  readonly #flushes: TableFlushes

  constructor(owners: TableOwners, partitions: Partitions, flushes: TableFlushes) {
    this.#owners = owners
    this.#partitions = partitions
    this.#flushes = flushes
  }

  /**
   * Names all tables that are held from now on; those that no longer are take what they had no room for. When it fails,
   * it may be asked again.
   */
  async hold(tables: readonly string[]): Promise<void> {
    this.#owners.hold(tables)
    for (const owner of this.#owners) if (owner.isHeld) await this.#flushes.hold(owner)
    for (const owner of this.#owners) {
      if (!owner.isHeld && owner.stopped?.code === 'E_PAUSED') await this.#begin(owner)
    }
  }

  /** Tables that a former owner of one of their partitions may have fenced. */
  fenced(): TableOwner[] {
    return [...this.#owners].filter(({ isUndecided }) => isUndecided)
  }

  /**
   * Who had a partition before us may have been in the middle of a commit when it came to us. A table that was fenced for
   * that goes on where the other one left it; when it happens again and again, it is a stranger who writes.
   */
  async followFormerOwners(): Promise<void> {
    for (const owner of this.fenced()) {
      owner.noteYield()
      await this.#begin(owner)
    }
  }

  async resume({ table, acceptGap, ranges }: ResumeOrder): Promise<ResumeAnswer> {
    const owner = this.#owners.named(table)
    if (owner === null || !this.#partitions.has(owner)) return { outcome: 'not-mine', message: '' }
    if (owner.stopped === null) return { outcome: 'done', message: 'the table is not stopped' }
    if (owner.isHeld) return refused('the table is paused; it goes on when the pause ends')
    if (this.#partitions.isBrokenFor(owner)) return refused(owner.stopped.message)
    const feeding = this.#partitions.feeding(owner)
    if (!acceptGap && feeding.some((progress) => progress.lacks(owner))) return refused(owner.stopped.message)
    for (const range of ranges) {
      const progress = this.#partitions.find(range)
      if (progress === null || !feeding.includes(progress)) continue
      if (acceptGap) progress.acceptGap(owner, range.startOffset)
      else if (owner.holds.has(progress)) {
        const gone = goneBefore(range, progress.passedBy(owner).nextOffset, owner, progress)
        if (gone !== null) return refused(gone.message)
      }
    }
    if (owner.stopped.code === 'E_RESTORED') owner.acceptsRestore = true
    await this.#begin(owner)
    const { stopped } = owner as { stopped: EngineError | null }
    return stopped === null ? { outcome: 'done', message: '' } : refused(stopped.message)
  }

  /**
   * What a table that catches up is to be given next; `null`: it takes the stream again, or stopped.
   *
   * @param ranges what can be read now
   */
  async nextRange(table: string, ranges: readonly PartitionRange[]): Promise<CatchUpRange | null> {
    const owner = this.#owners.named(table)
    for (;;) {
      const catchUp = owner?.catchUp ?? null
      if (owner === null || catchUp === null) return null
      const next = catchUp.next()
      if (next === null) {
        owner.catchUp = null
        return null
      }
      const { progress, from: fromOffset, to: toOffset } = next
      const { topic, partition } = progress
      const range = ranges.find((each) => each.topic === topic && each.partition === partition)
      const gone = range === undefined ? null : goneBefore(range, fromOffset, owner, progress)
      if (gone === null) {
        catchUp.asked = { topic, partition }
        return { topic, partition, fromOffset, toOffset, left: catchUp.left }
      }
      if (!progress.isAccepted(owner, range!.startOffset)) this.#flushes.stop(owner, gone)
      else catchUp.lane(progress).seeOffsetsBefore(range!.startOffset)
    }
  }

  /** A range has been read to its end. */
  endRange(table: string, range: OffsetRange): void {
    const progress = this.#partitions.find(range)
    const catchUp = this.#owners.named(table)?.catchUp ?? null
    if (progress !== null && catchUp?.isAsked(range)) catchUp.lane(progress).seeOffsetsBefore(range.toOffset)
  }

  /** Makes ready for records from the table's own position on. It stands, and holds the mark back, until it is. */
  async #begin(owner: TableOwner): Promise<void> {
    await this.#flushes.drain(owner)
    owner.renew()
    try {
      if (owner.table !== null) await this.#owners.open(owner, owner.table)
    } catch (error) {
      this.#flushes.stopAnew(owner, error)
      return
    }
    const from = new Map<PartitionProgress, bigint>()
    for (const progress of owner.holds) {
      from.set(progress, startOf(owner, progress))
    }
    owner.standUp(new CatchUp(owner, from))
  }
}

function goneBefore(
  { startOffset }: PartitionRange,
  from: bigint,
  owner: TableOwner,
  progress: PartitionProgress,
): EngineError | null {
  return startOffset <= from ? null : progress.goneError(owner, from, startOffset)
}

/**
 * Where a table goes on: where its log says, since what was judged in memory alone went with the writer; never behind
 * what was read in this run, of which all that is not in the log was counted already.
 */
function startOf(owner: TableOwner, progress: PartitionProgress): bigint {
  const { nextOffset: passed } = progress.passedBy(owner)
  if (owner.writer === null) return passed
  const durable = owner.writer.nextOffset(progress.topic, progress.partition) ?? progress.startedAt
  const own = durable < progress.startedAt ? progress.startedAt : durable
  return own < passed ? own : passed
}

function refused(message: string): ResumeAnswer {
  return { outcome: 'refused', message }
}
