import type { OffsetRange, PartitionRange, RecordBatch } from '../../core/ports.ts'
import type { TableId } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import type { Tally } from '../../writers/tally.ts'
import type { BatchBounds } from '../config/config.ts'
import type { PassedPartition, TableFloor } from './passed-mark.ts'
import type { Answer, GiveOrder, WatchOrder } from './request.ts'
import type { TableReport } from './table-report.ts'
import type { StartPlace } from './table-start.ts'
import type { WorkSample } from './work-sample.ts'

export type PartitionRef = Pick<PartitionRange, 'topic' | 'partition'>

/**
 * The work on the tables of some topics, as the loop sees it. Whatever goes in or comes out is a plain value, so that
 * the same work is done in this thread or in another one (design §2 "Threads").
 *
 * Each method rejects with an error that no single table can bear: the process ends with it.
 */
export interface TopicWork {
  /**
   * Whether the range holds what comes next for the mark and each table. If not, what the tables say has been read anew:
   * `start` goes by that, and is to get a newer mark and end.
   */
  isWithin(range: PartitionRange, passed: PassedPartition | null): Promise<boolean>
  /**
   * A partition comes, before any record of it.
   *
   * @param passed how far all tables have it, as the mark says
   * @returns the next offset to read; `null`: it cannot be read on from where we were
   */
  start(range: PartitionRange, passed: PassedPartition | null): Promise<bigint | null>
  /** Deals with each record of a batch once. What tables have been given becomes durable by and by. */
  take(batch: RecordBatch): Promise<void>
  /** Time has gone by: what has reached its age is on its way to the store. */
  tick(): Promise<WorkProgress>
  /** @returns when there is room for another batch */
  room(): Promise<void>
  /** Makes durable all that was taken. */
  flushAll(): Promise<void>
  /**
   * Partitions are another member's now. What their tables hold of them stays in the topics, and whoever has them now
   * moves these tables: it is no stranger that fences us. Nothing of them is in flight any more when it resolves.
   */
  giveUp(partitions: readonly PartitionRef[]): Promise<void>
  /** Nothing of these tables is committed from now on, and of no others: when it resolves, no commit is under way. */
  hold(tables: readonly string[]): Promise<void>
  /**
   * What was given to this process is still its own: tables that a former owner of a partition has fenced go on where it
   * left them, once for each time that partitions come. When it happens again, a stranger writes, and they stand.
   */
  followFormerOwners(): Promise<void>
  /** A table that stopped is to catch up with the stream, see `WorkProgress.catchingUp`. */
  resume(order: ResumeOrder): Promise<ResumeAnswer>
  /** Who brings rows by another way than the stream asks for this first, see `MomentRowsTaker`. */
  watch(order: WatchOrder): Promise<ResumeAnswer>
  /** Rows of a moment of the source. */
  give(order: GiveOrder): Promise<ResumeAnswer>
  /**
   * What a table that catches up is to be given next; `null`: it takes the stream again, or stopped.
   *
   * @param ranges what can be read now
   */
  nextRange(table: string, ranges: readonly PartitionRange[]): Promise<CatchUpRange | null>
  /** Records of such a range. */
  takeRange(table: string, batch: RecordBatch): Promise<void>
  /** All of the range has been given. */
  endRange(table: string, range: OffsetRange): Promise<void>
  /** What the mark says beside offsets. */
  knowMark(mark: MarkKnowledge): Promise<void>
  /** Truncates of tables that are not there yet. */
  floors(): Promise<readonly TableFloor[]>
  /** Tables that were not among them and that lack nothing any more: the mark holds for them too. */
  begun(): Promise<readonly string[]>
  /** How far every table has passed each partition; the letters before it are durable. */
  passed(): Promise<readonly PassedPartition[]>
  /** What is not durable stays in the topics and is counted as parked, also what is on its way to the store. */
  cutShort(): Promise<void>
  /** Begins nothing more. @returns when all that is in flight has come to an end, whichever */
  abandon(): Promise<void>
  report(): Promise<WorkReport>
  /** How all of it stands now, for those who watch; disturbs nothing. */
  sample(): Promise<WorkSample>
}

export interface WorkProgress {
  /** Records taken. */
  readonly records: number
  /** Events given to tables. */
  readonly rows: number
  readonly tables: number
  /** Tables that take what they missed while they stood still. */
  readonly catchingUp: readonly string[]
  /** Tables that another writer has fenced, and that go on if they are still this process's to write. */
  readonly fenced: readonly string[]
}

export interface MarkKnowledge {
  /** The tables that the pipeline took when it wrote it, as `TablePatterns.list` names them. */
  readonly tables: readonly string[]
  readonly floors: readonly TableFloor[]
}

export interface ResumeOrder {
  readonly table: string
  /** Records that are gone from the topic are done without. */
  readonly acceptGap: boolean
  /** What can be read now. */
  readonly ranges: readonly PartitionRange[]
}

export type ResumeAnswer = Omit<Answer, 'process'>

export interface CatchUpRange extends OffsetRange {
  /** Offsets that the table has still to take, this range among them. */
  readonly left: bigint
}

/** What was done; the tally adds up to the records taken. */
export interface WorkReport {
  readonly records: number
  readonly tally: Tally
  readonly tables: readonly TableReport[]
  readonly deadLetterReasons: ReadonlyMap<string, number>
}

export interface PipelineOptions {
  readonly name: string
  readonly contractFor: (table: string) => TableContract
  /** The tables that a topic can feed, as far as its name and the configuration tell; at least one. */
  readonly tablesOf: (topic: string) => readonly TopicTable[]
  readonly pathOf: (table: TableId) => string
  /** The tables that are taken, as `TablePatterns.list` names them; records of others are skipped. */
  readonly takes: readonly string[]
  /** Where a table begins whose records were skipped until now. */
  readonly startOf: (table: string) => StartPlace | undefined
  /** A batch of a table closes at the first of these bounds. */
  readonly batch: BatchBounds
  /** How long a run that is told to end may take to make durable what it holds. */
  readonly graceMs: number
}

/** A table as it is known before a record has named it. */
export interface TopicTable {
  /** `schema.table`. */
  readonly name: string
  /** As far as its path needs it; `null` when only a record can tell where it lies. */
  readonly table: TableId | null
}
