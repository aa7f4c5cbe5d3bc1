import { assert } from '../../core/assert.ts'
import type { ChangeSource, PartitionRange } from '../../core/ports.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { tallyTotal } from '../../writers/tally.ts'
import { CatchUpReader } from './catch-up-reader.ts'
import { DeadLetters } from './dead-letters.ts'
import { FencedTables } from './fenced-tables.ts'
import type { WriteLetters } from './letter-box.ts'
import { type LoopPhase, LoopPulse } from './loop-pulse.ts'
import { PassedMark, type PassedPartition } from './passed-mark.ts'
import type { Ask } from './request.ts'
import { RequestDesk } from './request-desk.ts'
import { TablePatterns } from './table-patterns.ts'
import type {
  PartitionRef,
  PipelineOptions,
  ResumeAnswer,
  TopicWork,
  WorkProgress,
  WorkReport,
} from './topic-work.ts'
import { TopicWorker } from './topic-worker.ts'
import type { WorkSample } from './work-sample.ts'

export type { TableReport } from './table-report.ts'
export type { PipelineOptions, TopicTable } from './topic-work.ts'

/** Bytes of raw records that all tables of a process may hold. */
export const BUFFER_BYTES_MAX = 128 * 1024 * 1024
const MARK_EVERY_MS = 30_000
/** Until it has moved once: a process that dies young leaves its successor something. */
const MARK_FIRST_MS = 5000
/** A store that answers at all has done so by then. */
const ABANDON_MS = 30_000
/** When partitions come, all of them are asked for at about the same time: one look serves them. */
const MARK_FRESH_MS = 1000

/** What a run did; the tally adds up to the records read. */
export type RunReport = WorkReport

export interface PipelineSample {
  readonly phase: LoopPhase
  /** Milliseconds since the loop last went round. */
  readonly stillMs: number
  readonly work: WorkSample
}

export interface RunOptions {
  readonly untilEnd: boolean
  /** Ends the run: what is buffered is made durable first. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: WorkProgress) => void
}

/** Who does the work on topics; letters go to the one writer of theirs. */
export type OpenWork = (writeLetters: WriteLetters) => TopicWork

/** The loop: batches in, marks moved on. What becomes of a record is decided by the work on its topic's tables. */
export class Pipeline {
  readonly #ports: TableLogPorts
  readonly #source: ChangeSource
  readonly #options: PipelineOptions
  readonly #work: TopicWork
  readonly #deadLetters: DeadLetters
  readonly #desk: RequestDesk
  readonly #catchUps: CatchUpReader
  readonly #fencedTables: FencedTables
  readonly #pulse: LoopPulse
  #mark: PassedMark
  #markReadAtMs: number
  #isToldToStop = false
  /** Settles when the mark is written that is on its way. */
  #marking: Promise<void> = Promise.resolve()
  #isMarking = false
  #markEveryMs = MARK_FIRST_MS
  /** Of the mark. */
  #failure: { readonly error: unknown } | null = null

  private constructor(
    ports: TableLogPorts,
    source: ChangeSource,
    options: PipelineOptions,
    work: TopicWork,
    deadLetters: DeadLetters,
    { mark, atMs }: ReadMark,
  ) {
    this.#ports = ports
    this.#source = source
    this.#options = options
    this.#work = work
    this.#deadLetters = deadLetters
    this.#mark = mark
    this.#markReadAtMs = atMs
    this.#catchUps = new CatchUpReader(source, work)
    this.#pulse = new LoopPulse(ports.clock, ports.observe)
    this.#fencedTables = new FencedTables(ports, source, work)
    this.#desk = new RequestDesk(ports, options.name, {
      hold: (tables) => work.hold(tables),
      honour: (ask) => this.#honour(ask),
    })
  }

  /** @param openWork by default it is done in this thread */
  static async open(
    ports: TableLogPorts,
    source: ChangeSource,
    options: PipelineOptions,
    openWork: OpenWork = (writeLetters) => new TopicWorker(ports, options, writeLetters, BUFFER_BYTES_MAX),
  ): Promise<Pipeline> {
    const deadLetters = await DeadLetters.open(ports, options.name)
    const mark = await readMark(ports, options.name)
    const work = openWork((letters) => deadLetters.write(letters))
    return new Pipeline(ports, source, options, work, deadLetters, mark)
  }

  /** Runs until the end of the source (or for ever). A table that stops leaves the others running. */
  async run({ untilEnd, signal, onProgress }: RunOptions): Promise<RunReport> {
    await this.#desk.open()
    await this.#tellMark()
    try {
      return await this.#run({ untilEnd, signal, onProgress })
    } finally {
      this.#pulse.phase = 'ended'
      await this.#desk.close()
    }
  }

  async #run({ untilEnd, signal, onProgress }: RunOptions): Promise<RunReport> {
    try {
      this.#pulse.phase = 'running'
      await this.#follow({ untilEnd, signal, onProgress })
      this.#pulse.phase = 'ending'
      if (!(await this.#flushAll(signal))) return await this.#report(untilEnd)
    } catch (error) {
      await this.#abandon()
      throw error
    }
    await this.#marking
    this.#rethrow()
    await this.#writeMark()
    return this.#report(untilEnd)
  }

  /** How all of it stands now. */
  async sample(): Promise<PipelineSample> {
    const { phase, stillMs } = this.#pulse
    return { phase, stillMs, work: await this.#work.sample() }
  }

  /**
   * A run that is told to end may have lost its last commits to another member of the group, and does not wait to be
   * told whose those tables are by now: whoever is goes on, and nothing stopped them.
   */
  async #report(untilEnd: boolean): Promise<RunReport> {
    const report = await this.#work.report()
    assert(tallyTotal(report.tally) === report.records, 'every record read is counted once')
    if (untilEnd) return report
    const tables = report.tables.map((table) => (table.isUndecided ? { ...table, stopped: null } : table))
    return { ...report, tables }
  }

  async #follow({ untilEnd, signal, onProgress }: RunOptions): Promise<void> {
    const batches = this.#source.read({
      untilEnd,
      startAt: (range) => this.#startAt(range),
      onRevoked: (partitions) => this.#giveUp(partitions),
    })
    this.#pulse.turn()
    for await (const batch of batches) {
      if (batch !== null) await this.#pulse.give(batch, (each) => this.#work.take(each))
      const progress = await this.#tick(signal)
      if (progress === null) break
      onProgress(progress)
      await this.#desk.lookWhenDue()
      await this.#fencedTables.step(progress.fenced)
      await this.#catchUps.step(progress.catchingUp)
      this.#markWhenDue()
      await this.#pulse.hold(this.#room(signal))
      this.#rethrow()
      if (signal.aborted || this.#isToldToStop) break
      this.#pulse.turn()
    }
    if (untilEnd) {
      await this.#desk.look()
      await this.#finishCatchUps(signal)
    }
  }

  /** @returns `null` when the run is to end */
  async #tick(signal: AbortSignal): Promise<WorkProgress | null> {
    return signal.aborted ? null : orAborted(this.#work.tick(), signal)
  }

  /** @returns when more records can be taken, or the run is to end */
  async #room(signal: AbortSignal): Promise<void> {
    await orAborted(this.#work.room(), signal)
  }

  /** A run to the end takes also what tables missed that were told to go on, or that their last flush fenced. */
  async #finishCatchUps(signal: AbortSignal): Promise<void> {
    for (;;) {
      await orAborted(this.#work.flushAll(), signal)
      const progress = await this.#tick(signal)
      if (progress === null) return
      const goOn = await this.#fencedTables.step(progress.fenced)
      if (!goOn && progress.catchingUp.length === 0) return
      await this.#catchUps.step(progress.catchingUp)
    }
  }

  async #honour(ask: Exclude<Ask, { kind: 'pause' }>): Promise<ResumeAnswer> {
    switch (ask.kind) {
      case 'stop':
        this.#isToldToStop = true
        return { outcome: 'done', message: '' }
      case 'resume': {
        const { table, acceptGap } = ask
        return this.#work.resume({ table, acceptGap, ranges: await this.#source.partitions() })
      }
      case 'watch':
        return this.#work.watch(ask)
      case 'give':
        return this.#work.give(ask)
      default:
        return ask satisfies never
    }
  }

  /** A partition comes to us. @returns `null` when it cannot be read on from where we were */
  async #startAt(range: PartitionRange): Promise<bigint | null> {
    if (this.#ports.clock.monotonicMs() - this.#markReadAtMs > MARK_FRESH_MS) await this.#readMark()
    const passed = (): PassedPartition | null => this.#mark.passed(range.topic, range.partition)
    if (await this.#work.isWithin(range, passed())) return this.#work.start(range, passed())
    await this.#readMark()
    return this.#work.start(await this.#withNewEnd(range), passed())
  }

  /**
   * Who had the partition before may have read and committed on since the range was asked for: nothing is amiss then.
   * Where it begins stays as old as it was, since what the mark and the tables say is newer: retention may follow them.
   */
  async #withNewEnd(range: PartitionRange): Promise<PartitionRange> {
    const ranges = await this.#source.partitions()
    const isSame = ({ topic, partition }: PartitionRange) =>
      topic === range.topic && partition === range.partition
    return { ...range, endOffset: ranges.find(isSame)?.endOffset ?? range.endOffset }
  }

  /** The mark as other members of the group have left it. */
  async #readMark(): Promise<void> {
    await this.#marking
    const { mark, atMs } = await readMark(this.#ports, this.#options.name)
    this.#mark = mark
    this.#markReadAtMs = atMs
    await this.#tellMark()
  }

  #tellMark(): Promise<void> {
    return this.#work.knowMark({ tables: this.#covered().list(), floors: this.#mark.floors })
  }

  /** The tables that the mark holds for; those that are not taken now lack what is skipped from now on. */
  #covered(): TablePatterns {
    const takes = TablePatterns.of(this.#options.takes)
    return this.#mark.tables?.and(takes) ?? takes
  }

  async #giveUp(partitions: readonly PartitionRef[]): Promise<void> {
    await this.#work.giveUp(partitions)
    await this.#marking
  }

  /** Off the way of the records: tables go on while the mark is written. */
  #markWhenDue(): void {
    if (this.#isMarking || this.#mark.ageMs < this.#markEveryMs) return
    this.#isMarking = true
    this.#marking = this.#writeMark()
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#isMarking = false
      })
  }

  #rethrow(): void {
    if (this.#failure !== null) throw this.#failure.error
  }

  async #writeMark(): Promise<void> {
    const begun = await this.#work.begun()
    const tables = begun.reduce((covered, table) => covered.with(table), this.#covered())
    const partitions = await this.#work.passed()
    // After what was passed is known: a truncate that is flushed meanwhile is in both, or in the floors alone.
    const floors = await this.#work.floors()
    const hasMoved = await this.#mark.write({ partitions, tables, floors })
    if (hasMoved) this.#markEveryMs = MARK_EVERY_MS
    await this.#source.ack(partitions)
  }

  /** @returns `false`: a run that was told to end had no time left for all; what it lacks is still in the topics */
  async #flushAll(signal: AbortSignal): Promise<boolean> {
    const { clock, logger } = this.#ports
    const { graceMs } = this.#options
    const ended = new AbortController()
    const isLate = aborted(signal, ended.signal).then(() => clock.sleep(graceMs, ended.signal))
    const end = this.#work.flushAll().then(() => this.#deadLetters.settle())
    const isInTime = await Promise.race([end.then(() => true), isLate.then(() => false)])
    ended.abort()
    if (isInTime) return true
    await this.#work.cutShort()
    logger.warn(
      { event: 'pipeline.cut-short', graceMs },
      'the store took too long at the end: what was not stored is read again at the next start',
    )
    return false
  }

  /** A run that failed leaves nothing behind that moves, unless the store does not answer. */
  async #abandon(): Promise<void> {
    const ended = new AbortController()
    const end = Promise.all([this.#work.abandon(), this.#marking, this.#deadLetters.settle()])
    await Promise.race([end, this.#ports.clock.sleep(ABANDON_MS, ended.signal)])
    ended.abort()
  }
}

/** What a full house holds up is not waited for by a run that is to end. @returns `null` when the signal came first */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  let onAbort = (): void => {}
  const isAborted = new Promise<null>((resolve) => {
    onAbort = () => resolve(null)
  })
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, isAborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** @param until when nobody waits any more: a run lives as long as its signal, and must not hang a listener on it each time */
function aborted(signal: AbortSignal, until: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true, signal: until })
  })
}

interface ReadMark {
  readonly mark: PassedMark
  /** When we began to read it (monotonic clock): the answer may wait for a process that sleeps, and tells of then. */
  readonly atMs: number
}

async function readMark(ports: TableLogPorts, pipeline: string): Promise<ReadMark> {
  const atMs = ports.clock.monotonicMs()
  return { mark: await PassedMark.open(ports, pipeline), atMs }
}
