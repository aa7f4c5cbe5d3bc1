import { assert } from '../core/assert.ts'
import type { PartitionPosition } from '../core/ports.ts'
import type { ChangeEvent, RecordCoordinates, RowShape, TableId } from '../schemas/change-event.ts'
import type { TableContract } from '../schemas/contract.ts'
import { comparePositions, type Position } from '../schemas/position.ts'
import { AppendMode } from './append-mode.ts'
import { BagMode } from './bag-mode.ts'
import { BatchBuffer } from './batch-buffer.ts'
import { assertWritable } from './delta/protocol.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { type PartitionEpochs, readEpochs, withEpoch } from './event-epoch.ts'
import { fencedError } from './fenced-error.ts'
import { Graves } from './graves.ts'
import { HASH_WORDS, KeyHasher } from './locator/key-encoding.ts'
import { BACKGROUND_GOAL } from './merge/merge-plan.ts'
import type { NamedRowHasher } from './merge/stage-merge.ts'
import { type MergedTable, type MergeReport, TableMerger } from './merge/table-merger.ts'
import { owedTexts, parseOwed } from './owed-rows.ts'
import { owedValueText, parseOwedValues } from './owed-values.ts'
import { PartitionMarks, UnorderedMarks } from './partition-marks.ts'
import { asPartitioned } from './partitioned-images.ts'
import { refuseRestoredSince } from './refuse-restored.ts'
import { type StageContext, type StagedBatch, Stager } from './stage.ts'
import { liveRowCount } from './table/row-count.ts'
import { TableReader } from './table/table-reader.ts'
import { keyNames, refuseOtherKeys } from './table-key.ts'
import { type PreparedCommit, TableLog, type TableLogPorts } from './table-log.ts'
import { type BatchPlan, type PlanContext, planWith, type RowCounts, type TableMode } from './table-mode.ts'
import {
  partitionName,
  progressAppIds,
  progressPrefix,
  progressTxns,
  readProgress,
} from './table-progress.ts'
import {
  evolvedState,
  firstState,
  hasSystemColumns,
  metadataActions,
  partitionColumns,
  stateOf,
  type TableState,
} from './table-state.ts'
import { emptyTally, type Tally } from './tally.ts'
import { Turns } from './turns.ts'
import { UpsertMode } from './upsert-mode.ts'
import { prepareWidening } from './widen-columns.ts'

export interface TableWriterOptions {
  readonly pipeline: string
  readonly table: TableId
  readonly contract: TableContract
  /** From the root of the lake. */
  readonly path: string
  /**
   * `true`: events of a partition come in order, so an old position of an unknown key is a re-send, and commits carry
   * how far they read. `false`: events come from anywhere and are told apart by key alone (dead letters).
   */
  readonly isOrdered: boolean
  /** Of a table that is not there yet: a truncate that came before. Its own log tells of any other. */
  readonly floor?: Position | null
  /** A person wants to go on with a table that was restored to an older version. */
  readonly acceptsRestore?: boolean
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
  readonly #merger: TableMerger
  /** A flush, or the commit of a merge. */
  readonly #turns = new Turns()
  #isMerging = false
  readonly #hasher: KeyHasher
  #state: TableState | null = null
  #mode: TableMode | null = null
  #nextOffsets = new Map<string, bigint>()
  #marks = new PartitionMarks()
  #floor: Position | null = null
  #epochs: PartitionEpochs = new Map()
  #openedAt: Position | null = null
  /** `null`: events of a key come by one road, as far as we know. */
  #graves: Graves | null = null
  readonly #buffer: BatchBuffer

  private constructor(ports: TableLogPorts, log: TableLog, options: TableWriterOptions) {
    this.options = options
    this.#ports = ports
    this.#log = log
    this.#reader = new TableReader(ports.store, options.path)
    this.#stager = new Stager(ports.store, options.path, ports.clock, ports.random)
    this.#merger = new TableMerger({ ...ports, tablePath: options.path, reader: this.#reader })
    this.#hasher = new KeyHasher(ports.random)
    this.#buffer = new BatchBuffer(ports.clock)
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
      if (options.isOrdered && options.acceptsRestore !== true) {
        await refuseRestoredSince(ports.store, options.path, log.snapshot.version, options.pipeline)
      }
      const { nextOffsets, marks, floor } = readProgress(log.snapshot.txns, options.pipeline)
      writer.#nextOffsets = new Map(nextOffsets)
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

  /** What was added and not flushed. */
  get buffered(): Pick<BatchBuffer, 'count' | 'sizeBytes' | 'ageMs'> {
    return this.#buffer
  }

  /** The next offset of a partition that is not in the table yet; `null`: the table knows nothing of the partition. */
  nextOffset(topic: string, partition: number): bigint | null {
    return this.#nextOffsets.get(partitionName(topic, partition)) ?? null
  }

  /** Whether the table has taken this record in already. */
  hasPassed(at: RecordCoordinates): boolean {
    const next = this.nextOffset(at.topic, at.partition)
    return next !== null && at.offset < next
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

  /** @returns when what is being committed now, a flush or a merge, has come to its end */
  settled(): Promise<void> {
    return this.#turns.take(async () => {})
  }

  async #flush(
    positions: readonly PartitionPosition[],
    events: readonly ChangeEvent[],
  ): Promise<FlushReport> {
    if (events.length === 0) {
      this.#pass(positions)
      return this.#report(null)
    }
    if (this.#state === null && this.#log.snapshot !== null) await this.#follow(this.#log.snapshot)
    await this.#widenColumns(events, positions)
    if (this.#hasTwoRoads(positions)) this.#graves ??= await Graves.open(this.#ports, this.options.path)
    let plan: BatchPlan | null = null
    let staged: StagedBatch | null = null
    let next: TableState | null = null
    const isCommitted = await this.#log.commit(
      async (snapshot) => {
        this.#refuseMoved(snapshot, positions)
        next = this.#nextState(events)
        this.#mode ??= this.#modeFor(next)
        plan = await this.#plan(events, snapshot, next, this.#isSpread(events, positions))
        const { fullBefore } = plan
        const { changeFeed } = this.options.contract
        const unsent = [...new Set([...next.properties.unsent, ...plan.unsentColumns])]
        next = {
          ...next,
          properties: {
            ...next.properties,
            fullBefore,
            changeFeed,
            unsent,
            owed: owedTexts(plan.owed),
            owedValues: plan.owedValues.map(owedValueText),
          },
        }
        if (plan.graves.length > 0) await this.#graves!.store(plan.graves)
        if (!this.#changesTable(plan, snapshot, next)) return null
        staged = await this.#stager.stage(plan, this.#stageContext(snapshot, next))
        return this.#prepared(plan, staged, snapshot, next, positions)
      },
      (snapshot) => this.#follow(snapshot),
    )
    if (isCommitted) this.#settle(plan!, staged!, next!)
    else if (this.#log.snapshot === null) this.#mode = null
    this.#marks = plan!.marks
    this.#floor = plan!.floor
    this.#graves?.take(plan!.graves)
    this.#pass(positions)
    return this.#report(plan)
  }

  /**
   * Whoever moved a position of ours beyond us has applied what we hold. A race that we lose to it shows it too, but
   * not when another commit than a flush lost it (a merge), or when we were not given the partition yet.
   */
  #refuseMoved(snapshot: TableSnapshot | null, positions: readonly PartitionPosition[]): void {
    if (snapshot === null) return
    const prefix = progressPrefix(this.options.pipeline)
    const isMoved = [...this.#ownAppIds(positions)].some((appId) => {
      const moved = snapshot.txns.get(appId)
      return moved !== undefined && moved.version > (this.#nextOffsets.get(appId.slice(prefix.length)) ?? -1n)
    })
    if (isMoved) throw fencedError(this.options.path, snapshot.version)
  }

  /** Whether one key's events can come by two topics: between them there is no order. */
  #hasTwoRoads(positions: readonly PartitionPosition[]): boolean {
    const { contract, isOrdered } = this.options
    if (!isOrdered || contract.mode !== 'upsert') return false
    const globs = contract.topics ?? []
    if (globs.length > 1 || globs.some((glob) => /[*?]/.test(glob))) return true
    const known = [...this.#nextOffsets.keys()].map((name) => name.slice(0, name.lastIndexOf('/')))
    return new Set([...known, ...positions.map(({ topic }) => topic)]).size > 1
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
    if (this.#isMerging || this.#mode === null || this.#state === null || signal.aborted) return null
    this.#isMerging = true
    try {
      return await this.#merger.merge(this.#mergedTable(mayCommit), BACKGROUND_GOAL, signal)
    } catch (error) {
      if (signal.aborted) return null
      throw error
    } finally {
      this.#isMerging = false
    }
  }

  /** Writes a checkpoint and cleans the log, when that is due; beside flushes, which do not wait for it. */
  async upkeepWhenDue(): Promise<void> {
    if (!(await this.#log.upkeepWhenDue())) return
    // In a turn of its own: a flush that is under way has given numbers to files that are not in the log yet.
    await this.#turns.take(async () => this.#forgetOldPaths())
  }

  #forgetOldPaths(): void {
    const { files, tombstones } = this.#log.snapshot!
    const removed = new Set<string>()
    for (const { path } of tombstones.values()) removed.add(path)
    this.#mode?.files.retain((path) => files.has(path) || removed.has(path))
  }

  #mergedTable(mayCommit: () => boolean): MergedTable {
    const writer = this
    return {
      get snapshot() {
        return writer.#log.snapshot
      },
      get mode() {
        return writer.#mode
      },
      hasher: this.#namedHasher(),
      commit: (prepare, onCommitted) =>
        this.#turns.take(async () => {
          const isCommitted = mayCommit() && (await this.#commitMerge(prepare))
          if (isCommitted) onCommitted()
          return isCommitted
        }),
    }
  }

  async #commitMerge(prepare: Parameters<MergedTable['commit']>[0]): Promise<boolean> {
    try {
      return await this.#log.commit(prepare, (snapshot) => this.#follow(snapshot))
    } catch (error) {
      // The log may have moved on without the locator: the next flush makes it anew.
      this.#state = null
      this.#mode = null
      throw error
    }
  }

  #namedHasher(): NamedRowHasher | null {
    const { layout } = this.#state!
    const hasher = this.#mode!.rowHasher(layout)
    if (hasher === null) return null
    const columns = hasher.fields.map((i) => layout.schema.fields[i]!.name)
    return { columns, hash: (cells, words, at) => hasher.hash(cells, words, at) }
  }

  /** Everything that hangs on the commit moves with it. */
  #settle(plan: BatchPlan, staged: StagedBatch, next: TableState): void {
    this.#ports.stepReached('locator:before-move')
    this.#state = next
    this.#merger.note(staged.actions)
    plan.moveLocator(staged.placeOf)
    this.#moveCarried(staged, next)
  }

  #moveCarried({ carried }: StagedBatch, { layout }: TableState): void {
    const hasher = this.#mode!.rowHasher(layout)
    if (hasher === null) return
    const words = new Uint32Array(HASH_WORDS)
    for (const { cells, from, to } of carried) {
      hasher.hash(
        hasher.fields.map((i) => cells[i]!),
        words,
        0,
      )
      this.#mode!.moved(words, 0, from, to)
    }
  }

  #pass(positions: readonly PartitionPosition[]): void {
    for (const each of this.#forward(positions)) {
      this.#nextOffsets.set(partitionName(each.topic, each.partition), each.nextOffset)
    }
  }

  /** A partition is read from the passed mark on, below what the table has of it: that moves nothing back. */
  #forward(positions: readonly PartitionPosition[]): PartitionPosition[] {
    return positions.filter((p) => p.nextOffset > (this.nextOffset(p.topic, p.partition) ?? -1n))
  }

  #report(plan: BatchPlan | null): FlushReport {
    return {
      version: this.version,
      counts: plan?.counts ?? { inserted: 0, updated: 0, deleted: 0 },
      tally: plan?.tally ?? emptyTally(),
      unresolvedUnavailable: plan?.unresolvedUnavailable ?? 0,
      unmatchedRows: plan?.unmatchedRows ?? 0,
      ambiguousKeyMoves: plan?.ambiguousKeyMoves ?? [],
    }
  }

  /**
   * Takes over what a snapshot tells: layout, properties, and a locator made from its files. Progress is ours alone:
   * whoever else moves it fences us.
   */
  async #follow(snapshot: TableSnapshot): Promise<void> {
    const { contract, table } = this.options
    assertWritable(
      snapshot.protocol,
      snapshot.metadata,
      snapshot.schema,
      contract.mode === 'append' ? 'append' : 'change',
    )
    this.#state = stateOf(snapshot, table, contract)
    this.#mode = this.#modeFor(this.#state)
    this.#openedAt = this.#marks.highest()
    // Another writer of the table, which has other partitions of its topic, may have read a truncate.
    const { floor } = readProgress(snapshot.txns, this.options.pipeline)
    if (floor !== null && (this.#floor === null || comparePositions(floor, this.#floor) > 0))
      this.#floor = floor
    await this.#mode.rebuild(snapshot, this.#state.layout, this.#reader)
  }

  #modeFor({ properties }: TableState): TableMode {
    if (properties.mode === 'append') return new AppendMode()
    if (properties.key === null) return new BagMode(this.#hasher)
    const softDeletes = this.options.contract.deletes === 'soft'
    return new UpsertMode({ key: properties.key, softDeletes }, this.#hasher)
  }

  #nextState(events: readonly ChangeEvent[]): TableState {
    const { table, contract } = this.options
    const shapes = shapesOf(events)
    const state = this.#state ?? firstState(table, contract, keyNames(events[0]!), shapes)
    if (state.properties.mode === 'upsert') refuseOtherKeys(events, state.properties.key, contract.name)
    if (this.#state === null) return state
    return evolvedState(this.#state, contract, shapes)?.state ?? this.#state
  }

  async #plan(
    events: readonly ChangeEvent[],
    snapshot: TableSnapshot | null,
    next: TableState,
    isSpread: boolean,
  ): Promise<BatchPlan> {
    const context = this.#planContext(snapshot, next, isSpread)
    const [first] = events
    if (!this.#isTruncate(first!)) {
      return this.#mode!.plan(asPartitioned(events, this.#partitionedBy(snapshot, next)), context)
    }
    const position = first!.position
    assert(position !== null, 'a truncate has a position')
    const isKnown = context.floor !== null && comparePositions(position, context.floor) <= 0
    if (context.marks.isResend(first!, position) || isKnown) {
      return planWith(context, { tally: { ...emptyTally(), duplicates: 1 } })
    }
    context.marks.advance(first!.at, position)
    const plan = await this.#mode!.planTruncate!(position, context)
    return { ...plan, floor: position, tally: { ...emptyTally(), applied: 1 } }
  }

  /** Source names of the partition columns. */
  #partitionedBy(snapshot: TableSnapshot | null, next: TableState): readonly string[] {
    const stored = snapshot?.metadata.partitionColumns ?? partitionColumns(next, this.options.contract)
    if (stored.length === 0) return []
    const { layout } = next
    return layout.shape.columns
      .map(({ name }) => name)
      .filter((name) => stored.includes(layout.fieldOf(name)!.name))
  }

  #isTruncate(event: ChangeEvent): boolean {
    return event.op === 't' && this.options.contract.mode !== 'append'
  }

  /** As far as we know: one partition, of which only the first is known, is the only one. */
  #isSpread(events: readonly ChangeEvent[], positions: readonly PartitionPosition[]): boolean {
    const { topic, partition } = events[0]!.at
    const names = new Set([...this.#nextOffsets.keys(), partitionName(topic, partition)])
    for (const each of positions) names.add(partitionName(each.topic, each.partition))
    return names.size > 1 || events.some(({ at }) => at.partition > 0 || at.topic !== topic)
  }

  #planContext(snapshot: TableSnapshot | null, next: TableState, isSpread: boolean): PlanContext {
    const { contract, isOrdered } = this.options
    const rewritesFiles = contract.merge === 'at-once'
    return {
      table: contract.name,
      snapshot,
      layout: next.layout,
      reader: this.#reader,
      marks: isOrdered ? this.#marks.copy() : new UnorderedMarks(),
      floor: this.#floor,
      graves: this.#graves,
      openedAt: this.#openedAt,
      fullBefore: next.properties.fullBefore,
      addedLater: new Set(next.properties.addedLater),
      unsent: new Set(next.properties.unsent),
      owed: parseOwed(next.properties.owed),
      owedValues: parseOwedValues(next.properties.owedValues),
      isSpread,
      feed: {
        rewritesFiles,
        wantsChangeRows: (fullBefore) =>
          contract.changeFeed === 'full' || (contract.changeFeed === 'auto' && (fullBefore || rewritesFiles)),
      },
    }
  }

  #changesTable(plan: BatchPlan, snapshot: TableSnapshot | null, next: TableState): boolean {
    if (plan.rows.length > 0 || plan.deleted.size > 0) return true
    if (snapshot === null) return plan.owed.length + plan.owedValues.length > 0
    if (plan.floor !== this.#floor || !isSameState(next, this.#state!)) return true
    // Without a key only the marks tell an event that is sent again from a new one: they must not be forgotten.
    return next.properties.key === null && !plan.marks.isAt(this.#marks)
  }

  #stageContext(snapshot: TableSnapshot | null, next: TableState): StageContext {
    const { contract } = this.options
    return {
      snapshot,
      schema: next.layout.schema,
      partitionColumns: snapshot?.metadata.partitionColumns ?? partitionColumns(next, contract),
      configuration: snapshot?.metadata.configuration ?? {},
      files: this.#mode!.files,
      reader: this.#reader,
      rewritesFiles: contract.merge === 'at-once',
    }
  }

  #prepared(
    plan: BatchPlan,
    staged: StagedBatch,
    snapshot: TableSnapshot | null,
    next: TableState,
    positions: readonly PartitionPosition[],
  ): PreparedCommit {
    const { pipeline, contract, isOrdered } = this.options
    const nowMs = this.#ports.clock.nowMs()
    const isChanged =
      snapshot === null || !isSameState(next, this.#state!) || !hasSystemColumns(snapshot, next.layout)
    const metadata = isChanged
      ? metadataActions(next, contract, snapshot, this.#ports.random.uuid(), nowMs)
      : []
    const floor = snapshot !== null && plan.floor === this.#floor ? null : plan.floor
    const txns = isOrdered ? progressTxns(pipeline, this.#forward(positions), plan.marks, floor, nowMs) : []
    const kind = next.properties.mode === 'append' ? 'append' : 'upsert'
    return {
      operation: plan.deleted.size > 0 ? 'MERGE' : 'WRITE',
      metrics: metricsOf(plan.counts),
      actions: [...metadata, ...staged.actions, ...txns],
      ours: { kind, touched: removedPaths(staged), appIds: this.#ownAppIds(positions) },
    }
  }

  /**
   * Positions that nobody else may move while a commit of ours is on its way. Partitions of a table that is not spread go
   * together: who moves one of them has all of them, also those of which this commit has nothing.
   */
  #ownAppIds(positions: readonly PartitionPosition[]): Set<string> {
    const { pipeline, contract, isOrdered } = this.options
    if (!isOrdered) return new Set()
    const own = progressAppIds(pipeline, positions)
    if (contract.spread !== undefined) return own
    for (const name of this.#nextOffsets.keys()) own.add(progressPrefix(pipeline) + name)
    return own
  }

  /**
   * A column that widens needs its older rows in the wider type too: not every reader follows `typeWidening`. A commit
   * of its own that changes no row: the change feed is silent about it.
   */
  async #widenColumns(
    events: readonly ChangeEvent[],
    positions: readonly PartitionPosition[],
  ): Promise<void> {
    if (this.#state === null) return
    const isCommitted = await this.#log.commit(
      async (snapshot) => {
        const evolved = evolvedState(this.#state!, this.options.contract, shapesOf(events))
        if (snapshot === null || evolved === null || evolved.change.widened.length === 0) return null
        return prepareWidening(snapshot, evolved, {
          contract: this.options.contract,
          stager: this.#stager,
          stageContext: this.#stageContext(snapshot, evolved.state),
          appIds: this.#ownAppIds(positions),
          nowMs: this.#ports.clock.nowMs(),
        })
      },
      (snapshot) => this.#follow(snapshot),
    )
    if (isCommitted) await this.#follow(this.#log.snapshot!)
  }
}

function shapesOf(events: readonly ChangeEvent[]): ReadonlySet<RowShape> {
  const shapes = new Set<RowShape>()
  for (const { before, after } of events) {
    // A key-only `before` has all columns too (fillers), but tells the table nothing that it should grow for.
    const image = after ?? before
    if (image !== null) shapes.add(image.shape)
  }
  return shapes
}

function isSameState(a: TableState, b: TableState): boolean {
  return a.layout === b.layout && JSON.stringify(a.properties) === JSON.stringify(b.properties)
}

function removedPaths(staged: StagedBatch): ReadonlySet<string> {
  return new Set(staged.actions.flatMap((action) => (action.kind === 'remove' ? [action.path] : [])))
}

/** `operationMetrics` under Spark's names; text, as Delta asks. */
function metricsOf({ inserted, updated, deleted }: RowCounts): Record<string, string> {
  return {
    numTargetRowsInserted: String(inserted),
    numTargetRowsUpdated: String(updated),
    numTargetRowsDeleted: String(deleted),
  }
}
