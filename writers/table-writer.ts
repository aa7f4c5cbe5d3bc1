import { type FlushPhases, noPhases } from '../core/fact.ts'
import type { PartitionPosition } from '../core/ports.ts'
import type { ChangeEvent, RecordCoordinates, RecordRef, TableId } from '../schemas/change-event.ts'
import { comparePositions, type Position } from '../schemas/position.ts'
import { refuseBackfilled, refuseUnfinished } from './backfill/backfill-state.ts'
import { SeenByBackfill } from './backfill/seen-by-backfill.ts'
import { BatchBuffer } from './batch-buffer.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { type PartitionEpochs, readEpochs, withEpoch } from './event-epoch.ts'
import { FollowedTable } from './followed-table.ts'
import { Graves } from './graves.ts'
import { BackgroundMerging } from './merge/background-merging.ts'
import { type MergeReport, TableMerger } from './merge/table-merger.ts'
import { type JudgedMoment, judgeMoment, momentTxn } from './moment-commit.ts'
import { allDeferred, type MomentReport, type MomentRows } from './moment-rows.ts'
import { parseOwed } from './owed-rows.ts'
import { parseOwedValues } from './owed-values.ts'
import { PartitionMarks, UnorderedMarks } from './partition-marks.ts'
import { PhaseWatch } from './phase-watch.ts'
import {
  partitionColumnsOf,
  partitionedBy,
  planEvents,
  shapesOf,
  stateAfter,
  stateFor,
  withComplete,
} from './plan-batch.ts'
import { isWorthCommit, type PlannedBatch, prepareBatch } from './prepare-batch.ts'
import { refuseRestoredSince } from './refuse-restored.ts'
import { redirectCarried, type StageContext, type StagedBatch, Stager } from './stage.ts'
import { StreamWatches } from './stream-watch.ts'
import { liveRowCount } from './table/row-count.ts'
import { type TableGrowth, tableGrowth } from './table/table-growth.ts'
import { TableReader } from './table/table-reader.ts'
import { TableLog, type TableLogPorts } from './table-log.ts'
import type { BatchPlan, PlanContext, RowCounts, TableMode } from './table-mode.ts'
import { readProgress } from './table-progress.ts'
import { evolvedState, stateOf, type TableState } from './table-state.ts'
import { emptyTally, type Tally } from './tally.ts'
import { type FedTable, type Roads, TopicPositions } from './topic-positions.ts'
import { Turns } from './turns.ts'
import { prepareWidening } from './widen-columns.ts'

export interface TableWriterOptions extends FedTable {
  readonly table: TableId
  /** Of a table that is not there yet: a truncate that came before. Its own log tells of any other. */
  readonly floor?: Position | null
  /** A person wants to go on with a table that was restored to an older version. */
  readonly acceptsRestore?: boolean
  /** The rows are those of the backfill that makes the table; nobody else may write it yet. */
  readonly isBackfill?: boolean
}

/** What one flush did. */
export interface FlushReport {
  /** The table's version after it; `null`: the table does not exist yet. */
  readonly version: number | null
  readonly counts: RowCounts
  readonly tally: Tally
  readonly unresolvedUnavailable: number
  readonly unmatchedRows: number
  readonly ambiguousKeyMoves: readonly ChangeEvent[]
  readonly phases: Readonly<FlushPhases>
}

/**
 * The actor that owns one table: changes in, one commit out. Buffers events, and a flush folds, locates, plans, stages
 * and commits them; nothing of a flush is visible before its commit, and all of it after.
 */
export class TableWriter {
  readonly options: TableWriterOptions
  readonly #ports: TableLogPorts
  readonly #log: TableLog
  readonly #reader: TableReader
  readonly #stager: Stager
  /** A flush, or the commit of a merge. */
  readonly #turns = new Turns()
  readonly #followed: FollowedTable
  /** `null`: the contract leaves merging to somebody else. */
  readonly #merging: BackgroundMerging | null
  #topics: TopicPositions
  #marks = new PartitionMarks()
  #floor: Position | null = null
  #epochs: PartitionEpochs = new Map()
  #openedAt: Position | null = null
  /** `null`: nobody has asked yet. */
  #graves: Graves | null = null
  readonly #buffer: BatchBuffer
  readonly #watches: StreamWatches

  private constructor(ports: TableLogPorts, log: TableLog, options: TableWriterOptions) {
    this.options = options
    this.#ports = ports
    this.#log = log
    this.#reader = new TableReader(ports.store, options.path)
    this.#stager = new Stager(ports.store, options.path, ports.clock, ports.random)
    this.#followed = new FollowedTable(log, this.#reader, options.table, options.contract, ports)
    const merger = new TableMerger({ ...ports, tablePath: options.path, reader: this.#reader })
    this.#merging =
      options.contract.merging === 'off'
        ? null
        : new BackgroundMerging(merger, this.#followed, log, this.#turns, (at) => this.#follow(at))
    this.#topics = new TopicPositions(options)
    this.#buffer = new BatchBuffer(ports.clock)
    this.#watches = new StreamWatches(ports.clock, ports.random)
  }

  /**
   * Opens the table, or stands ready to create it with its first rows. The locator is made when the first events are
   * flushed: a table that has no news costs the reading of its log.
   *
   * @throws EngineError (stop-table) when the path holds a table that is not this one, or one that we cannot write
   */
  static async open(ports: TableLogPorts, options: TableWriterOptions): Promise<TableWriter> {
    const log = await TableLog.open(ports, options.path)
    const writer = new TableWriter(ports, log, options)
    if (log.snapshot !== null) {
      stateOf(log.snapshot, options.table, options.contract)
      if (options.isBackfill !== true) refuseUnfinished(log.snapshot, options.contract.name)
      if (options.isOrdered && options.acceptsRestore !== true) {
        await refuseRestoredSince(ports.store, options.path, log.snapshot.version, options.pipeline)
      }
      const { nextOffsets, marks, floor } = readProgress(log.snapshot.txns, options.pipeline)
      writer.#topics = new TopicPositions(options, nextOffsets)
      writer.#marks = marks
      writer.#floor = floor
      writer.#epochs = readEpochs(log.snapshot.txns, options.pipeline)
    } else {
      writer.#floor = options.floor ?? null
    }
    return writer
  }

  /** `null`: not created yet. */
  get version(): number | null {
    return this.#log.snapshot?.version ?? null
  }

  /** Where a truncate left a table that is not there yet: only the first commit puts it into the log. */
  get floorBeforeTable(): Position | null {
    return this.#log.snapshot === null ? this.#floor : null
  }

  /** Live rows, as the log tells them; 0 while there is no table. */
  get rowCount(): number {
    return this.#log.snapshot === null ? 0 : liveRowCount(this.#log.snapshot)
  }

  /** Of the log, since its last checkpoint. */
  get logBytes(): number {
    return this.#log.bytesSinceCheckpoint
  }

  /** Looks at every live file. @returns `null`: there is no table yet */
  growth(): TableGrowth | null {
    return this.#log.snapshot === null ? null : tableGrowth(this.#log.snapshot)
  }

  /** What was added and not flushed. */
  get buffered(): Pick<BatchBuffer, 'count' | 'sizeBytes' | 'ageMs' | 'oldest'> {
    return this.#buffer
  }

  /** The next offset of a partition that is not in the table yet; `null`: the table knows nothing of the partition. */
  nextOffset(topic: string, partition: number): bigint | null {
    return this.#topics.nextOffset(topic, partition)
  }

  /** Whether the table has taken this record in already. */
  hasPassed(at: RecordRef): boolean {
    return this.#topics.hasPassed(at)
  }

  /** Whether what is buffered must be durable before this event is added. */
  mustFlushBefore(event: ChangeEvent): boolean {
    if (this.#buffer.count === 0 || this.options.contract.mode === 'append') return false
    // A truncate is a commit of its own.
    if (event.op === 't' || this.#buffer.holdsTruncate) return true
    return this.#buffer.holdsUnsentValuesOf(event)
  }

  add(event: ChangeEvent): void {
    this.#buffer.add(withEpoch(event, this.#epochs))
  }

  /** Takes out what is buffered, to be flushed as one batch; events that are added from now on belong to the next. */
  take(): readonly ChangeEvent[] {
    return this.#buffer.take()
  }

  /**
   * Makes events durable, exactly once. One flush at a time, in the order in which the events were taken.
   *
   * @param positions of the partitions that feed this table: every record before them had been added (or was not for
   * this table) when the events were taken
   * @throws EngineError; the events are then still in the topic, and the table has none of them
   */
  flush(positions: readonly PartitionPosition[], events = this.take()): Promise<FlushReport> {
    return this.#turns.take(() => this.#flush(positions, events))
  }

  /**
   * Makes durable what had been set aside and can be read now, each event once: they are judged by the positions of
   * their keys alone, since the partitions that they come from have been read beyond them. No position moves.
   *
   * @param events of which no key was deleted by a record behind them: what is gone leaves no trace in the table
   * @throws EngineError; the table has none of them then
   */
  replay(events: readonly ChangeEvent[]): Promise<FlushReport> {
    const dated = events.map((event) => withEpoch(event, this.#epochs))
    return this.#turns.take(() => this.#flush([], dated, true))
  }

  /** Between two batches: what was committed before is in the table, and all that comes is remembered. See `MomentRowsTaker`. */
  watch(): Promise<string> {
    return this.#turns.take(async () => this.#watches.begin())
  }

  /**
   * Brings rows of a moment of the source into the table, in one commit that moves no position. Only what differs from
   * the table is written, and nothing of which the stream knows newer.
   *
   * @param partitions all that can feed the table
   * @throws EngineError; the table has none of the rows then
   */
  give(rows: MomentRows, partitions: readonly PartitionRef[]): Promise<MomentReport> {
    return this.#turns.take(() => this.#give(rows, partitions))
  }

  /** @returns when what is being committed now, a flush or a merge, has come to its end */
  settled(): Promise<void> {
    return this.#turns.take(async () => {})
  }

  async #flush(
    positions: readonly PartitionPosition[],
    taken: readonly ChangeEvent[],
    isReplay = false,
  ): Promise<FlushReport> {
    const events = this.#unseen(taken)
    const seenCount = taken.length - events.length
    if (events.length === 0) {
      this.#topics.pass(positions)
      return withStale(this.#report(null, noPhases()), seenCount)
    }
    this.#watches.note(events)
    const watch = new PhaseWatch(this.#ports.clock)
    const isNew = this.#log.snapshot === null
    if (this.#followed.state === null && this.#log.snapshot !== null) await this.#follow(this.#log.snapshot)
    await this.#widenColumns(events, positions)
    let batch: PlannedBatch | null = null
    let staged: StagedBatch | null = null
    watch.mark('planMs')
    const isCommitted = await this.#log.commit(
      async (snapshot) => {
        watch.mark('commitMs')
        this.#topics.refuseMoved(snapshot, positions)
        const roads = isReplay ? REPLAY : this.#topics.roads(events, positions)
        batch = await this.#planBatch(events, snapshot, roads)
        const { plan, next } = batch
        watch.mark('planMs')
        if (plan.graves.length > 0) await (await this.#openGraves()).store(plan.graves)
        const offsets = this.#topics.forward(positions).length > 0
        if (!isWorthCommit(batch, { offsets, marks: !plan.marks.isAt(this.#marks) })) return null
        staged = await this.#stager.stage(plan, this.#stageContext(snapshot, next))
        watch.markStaged(staged.putMs)
        return prepareBatch(batch, staged, positions, this.options, this.#topics, this.#ports)
      },
      (snapshot) => {
        // What a backfill that was quicker has seen was not left out of this batch.
        if (isNew) refuseBackfilled(snapshot, this.options.contract.name)
        return this.#follow(snapshot)
      },
    )
    const { plan, next } = batch!
    if (isCommitted) this.#settle(plan, staged!, next)
    else if (this.#log.snapshot === null) this.#followed.mode = null
    if (!isReplay) this.#marks = plan.marks
    this.#floor = plan.floor
    this.#graves?.take(plan.graves)
    this.#topics.pass(positions)
    watch.mark('commitMs')
    return withStale(this.#report(plan, watch.phases), seenCount)
  }

  /** The events that tell what a backfill of the table has not read. */
  #unseen(events: readonly ChangeEvent[]): readonly ChangeEvent[] {
    const { snapshot } = this.#log
    if (snapshot === null || this.options.isBackfill === true) return events
    const seen = SeenByBackfill.of(snapshot.metadata.configuration)
    return seen === null ? events : events.filter((event) => !seen.has(event))
  }

  async #give(given: MomentRows, partitions: readonly PartitionRef[]): Promise<MomentReport> {
    if (this.#log.snapshot === null) return allDeferred(given, null, 'the table is not there yet')
    if (this.#followed.state === null) await this.#follow(this.#log.snapshot)
    const reached = this.#marks.reachedByAll(partitions)
    let judged: JudgedMoment | null = null
    let staged: StagedBatch | null = null
    let next: TableState | null = null
    const isCommitted = await this.#log.commit(
      async (snapshot) => {
        this.#topics.refuseMoved(snapshot, [])
        const { state, mode } = this.#followed as { state: TableState; mode: TableMode }
        const context = this.#planContext(snapshot, state, MOMENT)
        const known = { ...{ snapshot: snapshot!, context, mode, reached }, watches: this.#watches }
        const { contract, pipeline } = this.options
        const { key } = state.properties
        const columns = { key, partitionedBy: partitionedBy(context, contract) }
        judged = await judgeMoment(given, { ...known, ...columns, pipeline })
        if (judged.moment === null) return null
        const { plan } = judged.moment
        next = withComplete(stateAfter(plan, state, contract), given.complete ?? [])
        staged = await this.#stager.stage(plan, this.#stageContext(snapshot, next))
        const batch = { plan, snapshot, before: state, floorBefore: this.#floor, next }
        const prepared = prepareBatch(batch, staged, [], this.options, this.#topics, this.#ports)
        const txn = momentTxn(pipeline, given, this.#ports.clock.nowMs())
        return { ...prepared, actions: [...prepared.actions, txn] }
      },
      (snapshot) => this.#follow(snapshot),
    )
    const { moment, report } = judged! as JudgedMoment
    if (isCommitted) {
      this.#ports.stepReached('moment:committed')
      this.#settle(moment!.plan, staged!, next!)
    }
    return { ...report, version: this.version }
  }

  /**
   * Merges files, when that is due (`writers/merge/merge-plan.ts`). Flushes go on meanwhile; only the merge's own small
   * commit takes a turn among them. One merge at a time.
   *
   * @param signal ends it within a moment, and nothing of it is committed
   * @param mayCommit asked at the last moment: the table may be held, or another's by then
   * @returns `null`: nothing was due, or it was given up
   * @throws what the store throws, and whatever stops a table: a merge that fails harms nothing
   */
  async mergeWhenDue(signal: AbortSignal, mayCommit = () => true): Promise<MergeReport | null> {
    return (await this.#merging?.mergeWhenDue(signal, mayCommit)) ?? null
  }

  /**
   * Writes a checkpoint, deletes files that no reader may still ask for and cleans the log, when that is due; beside
   * flushes, which do not wait for it.
   *
   * @param mayDelete asked before files are deleted: the table may be held, or another's by then
   * @returns whether it was due
   */
  async upkeepWhenDue(mayDelete = () => true): Promise<boolean> {
    const deletes = this.options.contract.expiry === 'on'
    if (!(await this.#log.upkeepWhenDue(deletes ? mayDelete : null))) return false
    // In a turn of its own: a flush that is under way has given numbers to files that are not in the log yet.
    await this.#turns.take(async () => this.#followed.forgetOldPaths())
    return true
  }

  /**
   * Does for the locator what batches shall not wait for.
   *
   * @throws EngineError when the local disk fails: that harms nothing
   */
  async keepLocator(signal: AbortSignal): Promise<void> {
    await this.#followed.keep(this.#turns, signal)
  }

  /** Keeps the locator for the next start. The writer may be used on, or not. */
  async saveLocator(signal: AbortSignal): Promise<void> {
    await this.#followed.save(this.#turns, signal)
  }

  /** Lets go of memory and files when what is being committed has come to its end. It is not used any more. */
  release(): Promise<void> {
    return this.#turns.take(async () => this.#followed.forget())
  }

  /** Everything that hangs on the commit moves with it. */
  #settle(plan: BatchPlan, staged: StagedBatch, next: TableState): void {
    this.#ports.stepReached('locator:before-move')
    const before = this.#followed.state
    if (before !== null && before.layout !== next.layout) {
      this.#ports.observe({ kind: 'schema-changed', change: 'columns-added' })
    }
    this.#followed.state = next
    this.#merging?.note(staged.actions)
    plan.moveLocator(staged.placeOf)
    redirectCarried(staged, this.#followed.mode!.files)
    this.#followed.noteCommit()
  }

  #report(plan: BatchPlan | null, phases: FlushPhases): FlushReport {
    return {
      phases,
      version: this.version,
      counts: plan?.counts ?? { inserted: 0, updated: 0, deleted: 0 },
      tally: plan?.tally ?? emptyTally(),
      unresolvedUnavailable: plan?.unresolvedUnavailable ?? 0,
      unmatchedRows: plan?.unmatchedRows ?? 0,
      ambiguousKeyMoves: plan?.ambiguousKeyMoves ?? [],
    }
  }

  /** Takes over what somebody else made of the table. Offsets are ours alone: whoever else moves them fences us. */
  async #follow(snapshot: TableSnapshot): Promise<void> {
    if (this.options.isBackfill !== true) refuseUnfinished(snapshot, this.options.contract.name)
    await this.#followed.follow(snapshot)
    this.#openedAt = this.#marks.highest()
    // Whoever else writes the table may have dug some.
    this.#graves = null
    // Another writer of the table, which has other partitions of its topic, may have read a truncate.
    const { floor } = readProgress(snapshot.txns, this.options.pipeline)
    if (floor !== null && (this.#floor === null || comparePositions(floor, this.#floor) > 0))
      this.#floor = floor
  }

  async #planBatch(
    events: readonly ChangeEvent[],
    snapshot: TableSnapshot | null,
    roads: Roads,
  ): Promise<PlannedBatch> {
    const before = this.#followed.state
    const floorBefore = this.#floor
    const { table, contract } = this.options
    const state = stateFor(events, before, table, contract)
    this.#followed.mode ??= this.#followed.newMode(state)
    if (roads.hasTwoRoads) await this.#openGraves()
    const context = this.#planContext(snapshot, state, roads)
    const plan = await planEvents(events, this.#followed.mode, context, contract)
    return { plan, snapshot, before, floorBefore, next: stateAfter(plan, state, contract) }
  }

  async #openGraves(): Promise<Graves> {
    this.#graves ??= await Graves.open(this.#ports, this.options.path, (at) => this.hasPassed(at))
    return this.#graves
  }

  #planContext(snapshot: TableSnapshot | null, next: TableState, roads: Roads): PlanContext {
    const { contract, isOrdered } = this.options
    const rewritesFiles = contract.merge === 'at-once'
    return {
      table: contract.name,
      snapshot,
      layout: next.layout,
      reader: this.#reader,
      marks: isOrdered && roads !== REPLAY ? this.#marks.copy() : new UnorderedMarks(),
      floor: this.#floor,
      graves: roads.hasTwoRoads ? this.#graves : null,
      openGraves: () => this.#openGraves(),
      openedAt: this.#openedAt,
      fullBefore: next.properties.fullBefore,
      addedLater: new Set(next.properties.addedLater),
      unsent: new Set(next.properties.unsent),
      owed: parseOwed(next.properties.owed),
      owedValues: parseOwedValues(next.properties.owedValues),
      isSpread: roads.isSpread,
      feed: {
        rewritesFiles,
        wantsChangeRows: (fullBefore) =>
          contract.changeFeed === 'full' || (contract.changeFeed === 'auto' && (fullBefore || rewritesFiles)),
      },
    }
  }

  #stageContext(snapshot: TableSnapshot | null, next: TableState): StageContext {
    const { contract } = this.options
    return {
      snapshot,
      schema: next.layout.schema,
      partitionColumns: partitionColumnsOf(snapshot, next.layout, contract),
      configuration: snapshot?.metadata.configuration ?? {},
      files: this.#followed.mode!.files,
      reader: this.#reader,
      rewritesFiles: contract.merge === 'at-once',
    }
  }

  /**
   * A column that widens needs its older rows in the wider type too: not every reader follows `typeWidening`. A commit
   * of its own that changes no row: the change feed is silent about it.
   */
  async #widenColumns(
    events: readonly ChangeEvent[],
    positions: readonly PartitionPosition[],
  ): Promise<void> {
    if (this.#followed.state === null) return
    const isCommitted = await this.#log.commit(
      async (snapshot) => {
        const evolved = evolvedState(this.#followed.state!, this.options.contract, shapesOf(events))
        if (snapshot === null || evolved === null || evolved.change.widened.length === 0) return null
        return prepareWidening(snapshot, evolved, {
          contract: this.options.contract,
          stager: this.#stager,
          stageContext: this.#stageContext(snapshot, evolved.state),
          appIds: this.#topics.ownAppIds(positions),
          nowMs: this.#ports.clock.nowMs(),
        })
      },
      (snapshot) => this.#follow(snapshot),
    )
    if (!isCommitted) return
    this.#ports.observe({ kind: 'schema-changed', change: 'columns-widened' })
    await this.#follow(this.#log.snapshot!)
  }
}

/** Of events that come when their partitions have been read. */
const REPLAY: Roads = { isSpread: false, hasTwoRoads: true }

/** Of rows that come by no road, but from the source itself. */
const MOMENT: Roads = { isSpread: false, hasTwoRoads: false }

type PartitionRef = Pick<RecordCoordinates, 'topic' | 'partition'>

function withStale(report: FlushReport, count: number): FlushReport {
  const { tally } = report
  return count === 0 ? report : { ...report, tally: { ...tally, stale: tally.stale + count } }
}
