import type { EngineError } from '../../core/errors.ts'
import type { PartitionPosition } from '../../core/ports.ts'
import type { ChangeEvent, TableId } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { happenedMs } from '../../schemas/event-time.ts'
import { addCounts } from '../../writers/table-mode.ts'
import type { TableProgress } from '../../writers/table-progress.ts'
import type { FlushReport, TableWriter } from '../../writers/table-writer.ts'
import type { CatchUp } from './catch-up.ts'
import type { PartitionProgress, Passed } from './partition-progress.ts'
import { StormGuard } from './storm-guard.ts'

/** More commits in a row than a former owner comes to before it is told; who goes on still is a stranger. */
const YIELDS_MAX = 10

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
  /** Told to go on though somebody restored it to an older version. */
  acceptsRestore = false
  /** It takes what it missed while it stood still, and nothing of the stream yet. */
  catchUp: CatchUp | null = null
  /** Records that were left in the topic and not read again yet. */
  parked = 0
  unresolvedUnavailable = 0
  /** Dead letters of this run, by reason. */
  readonly letters = new Map<string, number>()
  /** Epoch milliseconds when the newest durable event happened at the source. */
  durableMs: number | null = null
  ambiguousKeyMoves = 0
  /** Batches that wait for their turn, oldest first. */
  readonly #closed: ClosedBatch[] = []
  #flushing: ClosedBatch | null = null
  /** How often the table went on though another writer had fenced it. */
  readonly #yields = new WeakMap<PartitionProgress, number>()

  constructor(contract: TableContract) {
    this.contract = contract
    this.storm = new StormGuard(contract.deadLetters.maxShare)
  }

  /** Whether records of the stream are for it now; those that are not stay in the topic. */
  get takesStream(): boolean {
    return this.stopped === null && this.catchUp === null
  }

  /** Bytes of raw records that are not durable. */
  get heldBytes(): number {
    return this.#pending().reduce((sum, { sizeBytes }) => sum + sizeBytes, this.bufferedBytes)
  }

  /** Those of them that are in no batch yet. */
  get bufferedBytes(): number {
    return this.writer?.buffered.sizeBytes ?? 0
  }

  /** Whether it began anew somewhere, and is level with the stream now, all of it durable. */
  get hasBegun(): boolean {
    if (this.starts.size === 0 || this.isBehind) return false
    return [...this.starts].every(([progress, first]) => progress.seenNext >= first)
  }

  /** Whether one batch is on its way and the next one is full too. */
  get isBackedUp(): boolean {
    return this.#pending().length > 1
  }

  /** Events that are not durable. */
  get pendingEvents(): number {
    const buffered = this.writer?.buffered.count ?? 0
    return this.#pending().reduce((sum, { events }) => sum + events.length, buffered)
  }

  /** The first of them to come. */
  get oldestPending(): ChangeEvent | null {
    return this.#pending()[0]?.events[0] ?? this.writer?.buffered.oldest ?? null
  }

  get hasClosed(): boolean {
    return this.#closed.length > 0
  }

  /** Events of the batch that is in flight. */
  get inFlight(): number {
    return this.#flushing?.events.length ?? 0
  }

  get isFlushing(): boolean {
    return this.#flushing !== null
  }

  /** Whether there are records of this run that it has not made durable. */
  get isBehind(): boolean {
    return !this.takesStream || this.hasWork || this.isFlushing
  }

  /** Whether there is something to flush. */
  get hasWork(): boolean {
    return this.hasClosed || (this.writer?.buffered.count ?? 0) > 0
  }

  /** What is buffered becomes a batch: events that come from now on belong to the next one. */
  close(): void {
    const batch = this.#takeBuffer()
    if (batch !== null) this.#closed.push(batch)
  }

  /** @returns the next batch, which is in flight until `settle`; `null`: there is none */
  nextBatch(): ClosedBatch | null {
    this.#flushing = this.#closed.shift() ?? this.#takeBuffer()
    return this.#flushing
  }

  settle(): void {
    this.#flushing = null
  }

  /** Lets go of all that is not in flight. @returns how many records; they are still in the topic */
  drop(): number {
    this.close()
    return this.#closed.splice(0).reduce((sum, { events }) => sum + events.length, 0)
  }

  /**
   * Whether another writer may be a former owner of one of its partitions: so often for each time that one comes. A
   * former owner that wakes up goes on, commit after commit, until the group tells it.
   */
  get #mayYield(): boolean {
    return [...this.holds].some((progress) => this.#yieldsOf(progress) < YIELDS_MAX)
  }

  /** Another writer has fenced it, and may be a former owner, or the next: the group has still to say whose it is. */
  get isUndecided(): boolean {
    return this.stopped?.code === 'E_FENCED' && !this.isHeld && this.#mayYield
  }

  noteYield(): void {
    for (const progress of this.holds) this.#yields.set(progress, this.#yieldsOf(progress) + 1)
  }

  #yieldsOf(progress: PartitionProgress): number {
    return this.#yields.get(progress) ?? 0
  }

  /** What stopped it is to be looked at anew, by a new writer. It takes nothing before `standUp`. */
  renew(): void {
    this.#leaveWriter()
    this.partitions.clear()
    this.storm = new StormGuard(this.contract.deadLetters.maxShare)
  }

  /** What it still does comes to its end. */
  #leaveWriter(): void {
    void this.writer?.release()
    this.writer = null
  }

  standUp(catchUp: CatchUp): void {
    this.catchUp = catchUp
    this.stopped = null
  }

  /** Its partitions are another member's. */
  letGo(): void {
    this.#leaveWriter()
    this.catchUp = null
    this.parked = 0
    if (this.stopped?.code === 'E_FENCED' || this.stopped?.code === 'E_PAUSED') this.stopped = null
  }

  /** Notes what a flush has done: all that was seen of its partitions when the batch was closed is durable. */
  note(
    { seen, events }: ClosedBatch,
    { counts, unresolvedUnavailable, ambiguousKeyMoves }: FlushReport,
  ): void {
    for (const [progress, passed] of seen) progress.notePassed(this, passed)
    addCounts(this.counts, counts)
    const newest = events.at(-1)
    if (newest !== undefined) this.durableMs = happenedMs(newest)
    this.unresolvedUnavailable += unresolvedUnavailable
    this.ambiguousKeyMoves += ambiguousKeyMoves.length
  }

  /** Where its partitions stand is told now: every record before has been given to the writer. */
  #takeBuffer(): ClosedBatch | null {
    if (this.writer === null || this.writer.buffered.count === 0) return null
    const { sizeBytes } = this.writer.buffered
    const passed = (progress: PartitionProgress) => this.catchUp?.passed(progress) ?? progress.seen
    const positions = [...new Set([...this.partitions, ...this.starts.keys()])].map((progress) => {
      const { topic, partition } = progress
      const { nextOffset: next } = passed(progress)
      const first = this.starts.get(progress) ?? 0n
      return { topic, partition, nextOffset: next < first ? first : next }
    })
    const seen = [...this.holds].map((progress) => [progress, passed(progress)] as const)
    return { events: this.writer.take(), sizeBytes, positions, seen }
  }

  #pending(): readonly ClosedBatch[] {
    return this.#flushing === null ? this.#closed : [this.#flushing, ...this.#closed]
  }
}

/** Events that become one commit, and what the table has passed with it. */
export interface ClosedBatch {
  readonly events: readonly ChangeEvent[]
  readonly sizeBytes: number
  /** What the commit says: every record before these offsets is in the table. */
  readonly positions: readonly PartitionPosition[]
  /** The same of all partitions whose mark the table can hold back. */
  readonly seen: readonly (readonly [PartitionProgress, Passed])[]
}
