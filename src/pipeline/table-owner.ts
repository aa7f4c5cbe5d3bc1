import type { EngineError } from '../../core/errors.ts'
import type { PartitionPosition } from '../../core/ports.ts'
import type { TableContract } from '../../schemas/contract.ts'
import type { RowCounts } from '../../writers/table-mode.ts'
import type { TableProgress } from '../../writers/table-progress.ts'
import type { FlushReport, TableWriter } from '../../writers/table-writer.ts'
import type { PartitionProgress } from './partition-progress.ts'
import { StormGuard } from './storm-guard.ts'

/** What a table's log said before any record named the table. */
export interface TableStanding {
  readonly path: string
  readonly version: number
  readonly rows: number
  readonly progress: TableProgress
}

/** One table of a running pipeline: its writer, what it did, and why it stopped. */
export class TableOwner {
  readonly contract: TableContract
  readonly storm: StormGuard
  readonly counts = { inserted: 0, updated: 0, deleted: 0 }
  /** Partitions that have fed it in this run. */
  readonly partitions = new Set<PartitionProgress>()
  /** Partitions whose passed mark it can hold back: those, and such that had only letters for it. */
  readonly holds = new Set<PartitionProgress>()
  /** `null` until its first record: what the table is called at the source tells where it lies. */
  writer: TableWriter | null = null
  /** `null`: there was no table, or only a record can tell where it lies. */
  standing: TableStanding | null = null
  /** Why it takes nothing more; its siblings go on. */
  stopped: EngineError | null = null
  unresolvedUnavailable = 0
  ambiguousKeyMoves = 0

  constructor(contract: TableContract) {
    this.contract = contract
    this.storm = new StormGuard(contract.deadLetters.maxShare)
  }

  /** What a flush makes durable: every record before these offsets has been given to the writer. */
  positions(): PartitionPosition[] {
    return [...this.partitions].map(({ topic, partition, seenNext: nextOffset }) => ({
      topic,
      partition,
      nextOffset,
    }))
  }

  /** Bytes of raw records that are not durable. */
  get bufferedBytes(): number {
    return this.writer?.buffered.sizeBytes ?? 0
  }

  /** Whether there are records of this run that it has not made durable. */
  get isBehind(): boolean {
    return this.stopped !== null || (this.writer?.buffered.count ?? 0) > 0
  }

  /**
   * Its partitions are another member's. @returns how many records it had not made durable; they are still in the topic
   */
  letGo(): number {
    const count = this.stopped === null ? (this.writer?.buffered.count ?? 0) : 0
    this.writer = null
    if (this.stopped?.code === 'E_FENCED') this.stopped = null
    return count
  }

  /** Notes what a flush has done: all that was seen of its partitions is durable. */
  note({ counts, unresolvedUnavailable, ambiguousKeyMoves }: FlushReport): void {
    for (const progress of this.holds) progress.notePassed(this)
    addCounts(this.counts, counts)
    this.unresolvedUnavailable += unresolvedUnavailable
    this.ambiguousKeyMoves += ambiguousKeyMoves.length
  }
}

function addCounts(to: { -readonly [K in keyof RowCounts]: number }, from: RowCounts): void {
  to.inserted += from.inserted
  to.updated += from.updated
  to.deleted += from.deleted
}
