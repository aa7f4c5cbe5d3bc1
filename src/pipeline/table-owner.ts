import type { EngineError } from '../../core/errors.ts'
import type { PartitionPosition } from '../../core/ports.ts'
import type { TableId } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import type { RowCounts } from '../../writers/table-mode.ts'
import type { TableProgress } from '../../writers/table-progress.ts'
import type { FlushReport, TableWriter } from '../../writers/table-writer.ts'
import type { CatchUp } from './catch-up.ts'
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
  storm: StormGuard
  readonly counts = { inserted: 0, updated: 0, deleted: 0 }
  /** Partitions that have fed it in this run. */
  readonly partitions = new Set<PartitionProgress>()
  /** Partitions whose passed mark it can hold back: those, and such that had only letters for it. */
  readonly holds = new Set<PartitionProgress>()
  /** As its first record named it. */
  table: TableId | null = null
  /** Partitions whose records were skipped until now, and the first offset that it takes. */
  readonly starts = new Map<PartitionProgress, bigint>()
  /** `null` until its first record: what the table is called at the source tells where it lies. */
  writer: TableWriter | null = null
  /** `null`: there was no table, or only a record can tell where it lies. */
  standing: TableStanding | null = null
  /** Why it takes nothing more; its siblings go on. */
  stopped: EngineError | null = null
  /** Nothing is committed to it for now: what comes is buffered as far as there is room. */
  isHeld = false
  /** It takes what it missed while it stood still, and nothing of the stream yet. */
  catchUp: CatchUp | null = null
  unresolvedUnavailable = 0
  ambiguousKeyMoves = 0

  constructor(contract: TableContract) {
    this.contract = contract
    this.storm = new StormGuard(contract.deadLetters.maxShare)
  }

  /** What a flush makes durable: every record before these offsets has been given to the writer. */
  positions(): PartitionPosition[] {
    return [...new Set([...this.partitions, ...this.starts.keys()])].map((progress) => {
      const { topic, partition } = progress
      const next = this.catchUp?.passed(progress).nextOffset ?? progress.seenNext
      const first = this.starts.get(progress) ?? 0n
      return { topic, partition, nextOffset: next < first ? first : next }
    })
  }

  /** Whether records of the stream are for it now; those that are not stay in the topic. */
  get takesStream(): boolean {
    return this.stopped === null && this.catchUp === null
  }

  /** Bytes of raw records that are not durable. */
  get bufferedBytes(): number {
    return this.writer?.buffered.sizeBytes ?? 0
  }

  /** Whether it began anew somewhere, and is level with the stream now, all of it durable. */
  get hasBegun(): boolean {
    if (this.starts.size === 0 || this.isBehind) return false
    return [...this.starts].every(([progress, first]) => progress.seenNext >= first)
  }

  /** Whether there are records of this run that it has not made durable. */
  get isBehind(): boolean {
    return !this.takesStream || (this.writer?.buffered.count ?? 0) > 0
  }

  /** What stopped it is to be looked at anew, by a new writer. */
  standUp(): void {
    this.stopped = null
    this.writer = null
    this.partitions.clear()
    this.storm = new StormGuard(this.contract.deadLetters.maxShare)
  }

  /**
   * Its partitions are another member's. @returns how many records it had not made durable; they are still in the topic
   */
  letGo(): number {
    const count = this.stopped === null ? (this.writer?.buffered.count ?? 0) : 0
    this.writer = null
    this.catchUp = null
    if (this.stopped?.code === 'E_FENCED' || this.stopped?.code === 'E_PAUSED') this.stopped = null
    return count
  }

  /** Notes what a flush has done: all that was seen of its partitions is durable. */
  note({ counts, unresolvedUnavailable, ambiguousKeyMoves }: FlushReport): void {
    for (const progress of this.holds) progress.notePassed(this, this.catchUp?.passed(progress))
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
