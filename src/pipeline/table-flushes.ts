import { EngineError } from '../../core/errors.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import type { FlushReport } from '../../writers/table-writer.ts'
import { addTally, type Tally } from '../../writers/tally.ts'
import type { BatchBounds } from '../config/config.ts'
import { batchCommitted } from './batch-committed.ts'
import type { LetterBox } from './letter-box.ts'
import type { Maintenance } from './maintenance.ts'
import type { ClosedBatch, TableOwner } from './table-owner.ts'
import type { TableOwners } from './table-owners.ts'

/** Flushes of different tables at once. What a flush waits for is the store; its plan is made one after the other. */
const FLUSHES_MAX = 8

export interface TableFlushesOptions {
  readonly ports: TableLogPorts
  readonly batch: BatchBounds
  readonly owners: TableOwners
  readonly letters: LetterBox
  readonly maintenance: Maintenance
  /** Where records are counted. */
  readonly tally: Tally
  /** Bytes of raw records that all tables together may hold, on their way to the store or not. */
  readonly bytesMax: number
}

/**
 * How what tables hold becomes durable, and how a table ends that cannot go on. Tables are flushed side by side, each
 * in the order of its own batches; they get their turn in the order in which they asked for it.
 */
export class TableFlushes {
  readonly #options: TableFlushesOptions
  /** Tables that wait for their turn, in order. */
  readonly #waiting = new Set<TableOwner>()
  #flushing = 0
  /** Flushes, and letters on their way. */
  readonly #running = new Set<Promise<void>>()
  /** An error that no single table can bear. */
  #failure: { readonly error: unknown } | null = null
  #isAbandoned = false
  /** Flushes that end from now on were counted already. */
  #isCutShort = false

  constructor(options: TableFlushesOptions) {
    this.#options = options
  }

  /**
   * Asks for a flush of what has reached its age, and of the fullest tables before all together hold so much that
   * nothing more could be taken.
   */
  flushDue(): void {
    this.rethrow()
    const { batch, owners, bytesMax } = this.#options
    this.sendFullLetters()
    const idle: TableOwner[] = []
    for (const owner of owners) {
      if (!this.#isIdle(owner)) continue
      if (!owner.isHeld && (owner.hasClosed || owner.writer!.buffered.ageMs >= batch.ageMs)) this.#ask(owner)
      else idle.push(owner)
    }
    idle.sort((a, b) => b.bufferedBytes - a.bufferedBytes)
    let total = idle.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0)
    for (const owner of idle) {
      if (total <= bytesMax / 2) break
      total -= owner.bufferedBytes
      this.makeRoom(owner)
    }
  }

  /** Milliseconds until something reaches its age; `null`: nothing will. */
  get dueInMs(): number | null {
    const { batch, owners, letters } = this.#options
    let oldestMs = letters.ageMs
    for (const owner of owners) {
      if (this.#isIdle(owner) && !owner.isHeld)
        oldestMs = Math.max(oldestMs ?? 0, owner.writer!.buffered.ageMs)
    }
    return oldestMs === null ? null : Math.max(batch.ageMs - oldestMs, 0)
  }

  /** Bytes of raw records that are not durable. */
  get heldBytes(): number {
    const { owners, letters } = this.#options
    let heldBytes = letters.heldBytes
    for (const owner of owners) heldBytes += owner.heldBytes
    return heldBytes
  }

  /** Whether more records can be taken. */
  get hasRoom(): boolean {
    const { owners, bytesMax } = this.#options
    for (const owner of owners) if (owner.isBackedUp) return false
    return this.heldBytes < bytesMax
  }

  /** @returns when more records can be taken */
  async room(): Promise<void> {
    while (!this.hasRoom) {
      this.flushDue()
      if (!this.hasRoom) await this.#nextEnd()
    }
  }

  async flushAll(): Promise<void> {
    const { letters, owners } = this.#options
    this.#run(letters.flush())
    for (const owner of owners) this.makeRoom(owner)
    while (this.#running.size > 0) await this.#nextEnd()
    this.rethrow()
  }

  /** @returns when nothing of these tables is in flight; what waits is dropped, and still in its topics */
  async drop(owners: readonly TableOwner[]): Promise<void> {
    for (const owner of owners) this.park(owner, owner.drop())
    while (owners.some(({ isFlushing }) => isFlushing)) await this.#nextEnd()
  }

  /** @returns when nothing of a table is in flight; what waits for its turn has no room in a table that is held */
  async hold(owner: TableOwner): Promise<void> {
    while (owner.isFlushing) await this.#nextEnd()
    await owner.writer?.settled()
    if (owner.hasClosed) this.makeRoom(owner)
  }

  /** @returns when all that was closed of a table has come to its end */
  async drain(owner: TableOwner): Promise<void> {
    while (owner.isFlushing || owner.hasClosed) await this.#nextEnd()
  }

  /** What is not durable is dropped, and still in its topics; what becomes of flushes in flight is not waited for. */
  cutShort(): void {
    this.#isAbandoned = true
    this.#isCutShort = true
    for (const owner of this.#options.owners) this.park(owner, owner.drop() + owner.inFlight)
  }

  /** Nothing new begins. @returns when what is under way has come to an end */
  async abandon(): Promise<void> {
    this.#isAbandoned = true
    await Promise.all(this.#running)
  }

  /** @throws what ended the work: where its tables stand tells nothing any more */
  rethrow(): void {
    if (this.#failure !== null) throw this.#failure.error
  }

  isFull({ writer }: TableOwner): boolean {
    const { rows, bytes } = this.#options.batch
    return writer !== null && (writer.buffered.count >= rows || writer.buffered.sizeBytes >= bytes)
  }

  /**
   * Nothing is left buffered: it becomes a batch that is flushed in its turn, or, of a table that is held, it stays in
   * the topic with all that follows.
   */
  makeRoom(owner: TableOwner): void {
    if (!owner.hasWork) return
    if (owner.isHeld) this.stop(owner, pausedError(owner))
    else this.#close(owner)
  }

  sendFullLetters(): void {
    const { letters, batch, bytesMax } = this.#options
    if (letters.isDue(batch) || letters.pendingBytes > bytesMax / 4) this.#run(letters.flush())
  }

  /**
   * Stops a table, unless it stands already. What it was given before is made durable all the same, if that may be.
   *
   * @throws `error` itself when it does not concern one table alone
   */
  stop(owner: TableOwner, error: unknown): void {
    if (!(error instanceof EngineError) || error.remedy !== 'stop-table') throw error
    if (owner.isHeld) this.park(owner, owner.drop())
    else this.#close(owner)
    if (owner.stopped !== null) return
    const { logger, observe } = this.#options.ports
    const fields = { table: owner.contract.name, code: error.code }
    observe({ kind: 'table-stopped', ...fields })
    if (error.code === 'E_PAUSED') logger.info({ event: 'table.paused', ...fields }, error.message)
    else logger.error({ event: 'table.stopped', ...fields }, error.message)
    owner.stopped = error
    owner.catchUp = null
  }

  /** As `stop`, of a table that stands already: why it stands now is what counts. */
  stopAnew(owner: TableOwner, error: unknown): void {
    const before = owner.stopped
    owner.stopped = null
    try {
      this.stop(owner, error)
    } finally {
      owner.stopped ??= before
    }
  }

  /** Records of a table that stay in their topic. */
  park(owner: TableOwner, count = 1): void {
    owner.parked += count
    this.#options.tally.parked += count
  }

  /**
   * One record of a table is read again.
   *
   * @returns whether it is one that was left; else it had been counted as something before, and counts once more
   */
  unpark(owner: TableOwner): boolean {
    if (owner.parked === 0) return false
    this.park(owner, -1)
    return true
  }

  /** Whether a table holds events and nobody has asked for their flush. */
  #isIdle(owner: TableOwner): boolean {
    return owner.hasWork && !owner.isFlushing && !this.#waiting.has(owner)
  }

  #close(owner: TableOwner): void {
    owner.close()
    if (owner.hasClosed) this.#ask(owner)
  }

  #ask(owner: TableOwner): void {
    if (!owner.isFlushing) this.#waiting.add(owner)
    this.#startWaiting()
  }

  #startWaiting(): void {
    for (const owner of this.#waiting) {
      if (this.#flushing >= FLUSHES_MAX || this.#isAbandoned || this.#failure !== null) return
      this.#waiting.delete(owner)
      const batch = owner.isHeld ? null : owner.nextBatch()
      if (batch !== null) this.#run(this.#flush(owner, batch))
    }
  }

  /** Something that ends by itself; should it fail, the next who waits or ticks is told. */
  #run(work: Promise<void>): void {
    const ended = work
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .then(() => {
        this.#running.delete(ended)
        this.#startWaiting()
      })
    this.#running.add(ended)
  }

  /** Something comes to its end, or to its age meanwhile. */
  async #nextEnd(): Promise<void> {
    const ended = new AbortController()
    const { dueInMs } = this
    const sleep = dueInMs === null ? [] : [this.#options.ports.clock.sleep(dueInMs, ended.signal)]
    await Promise.race([...this.#running, ...sleep])
    ended.abort()
    this.flushDue()
  }

  async #flush(owner: TableOwner, batch: ClosedBatch): Promise<void> {
    this.#flushing++
    try {
      await this.#commit(owner, batch)
    } catch (error) {
      // Known before the table looks as if it lacked nothing.
      this.#failure ??= { error }
    } finally {
      owner.settle()
      this.#flushing--
    }
    if (owner.hasClosed) this.#waiting.add(owner)
  }

  /** Letters first: a table never passes a record that is in neither. */
  async #commit(owner: TableOwner, batch: ClosedBatch): Promise<void> {
    const { ports, letters } = this.#options
    await letters.flush()
    const started = { wallMs: ports.clock.nowMs(), monotonicMs: ports.clock.monotonicMs() }
    try {
      const report = await owner.writer!.flush(batch.positions, batch.events)
      if (this.#isCutShort) return
      addTally(this.#options.tally, report.tally)
      owner.note(batch, report)
      const durationMs = ports.clock.monotonicMs() - started.monotonicMs
      ports.observe(batchCommitted(owner, batch, report, { startedMs: started.wallMs, durationMs }))
      this.#warnOf(owner, report)
      this.#options.maintenance.after(owner)
    } catch (error) {
      if (this.#isCutShort) return
      const count = batch.events.length + owner.drop()
      this.stop(owner, error)
      this.park(owner, count)
    }
  }

  /** What went in otherwise than a person may expect. */
  #warnOf(
    { contract: { name: table } }: TableOwner,
    { unmatchedRows, ambiguousKeyMoves }: FlushReport,
  ): void {
    const { logger } = this.#options.ports
    const [example] = ambiguousKeyMoves
    if (example !== undefined) {
      const { at, key } = example
      const place = { topic: at.topic, partition: at.partition, offset: String(at.offset) }
      const values = key?.values.map(String) ?? []
      logger.warn(
        {
          event: 'table.ambiguous-key-moves',
          table,
          count: ambiguousKeyMoves.length,
          example: { ...place, key: values },
        },
        'ambiguous key moves: rows may be lost. If the source table has REPLICA IDENTITY FULL, say so ' +
          `(tables.${table}.replicaIdentity: full); if not, set it, and then say so`,
      )
    }
    if (unmatchedRows > 0) {
      const why = 'rows to delete were not found: columns were added with a default, or are generated'
      logger.warn({ event: 'table.unmatched-rows', table, rows: unmatchedRows }, why)
    }
  }
}

/** A table that is held has no room left for what its topics tell. */
function pausedError({ contract: { name } }: TableOwner): EngineError {
  return new EngineError(
    'E_PAUSED',
    'stop-table',
    'the table is paused; its records stay in the topic, and it takes them when the pause ends ' +
      `(alluvium table resume ${name} ends it now)`,
    { table: name },
  )
}
