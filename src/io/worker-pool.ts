import { assert } from '../../core/assert.ts'
import type { Observe } from '../../core/fact.ts'
import type { Logger, OffsetRange, PartitionRange, RecordBatch } from '../../core/ports.ts'
import { addTally, emptyTally } from '../../writers/tally.ts'
import type { WriteLetters } from '../pipeline/letter-box.ts'
import type { PassedPartition, TableFloor } from '../pipeline/passed-mark.ts'
import { packBatch } from '../pipeline/record-arena.ts'
import type { GiveOrder, WatchOrder } from '../pipeline/request.ts'
import type { TableReport } from '../pipeline/table-report.ts'
import { TopicPins } from '../pipeline/topic-pins.ts'
import type {
  CatchUpRange,
  MarkKnowledge,
  PartitionRef,
  ResumeAnswer,
  ResumeOrder,
  TopicWork,
  WorkProgress,
  WorkReport,
} from '../pipeline/topic-work.ts'
import { joinSamples, type WorkSample } from '../pipeline/work-sample.ts'
import { MessageCalls } from './message-calls.ts'
import type { ServedWork, WorkHost } from './served-work.ts'
import type { WorkThread } from './work-thread.ts'

/** Raw records that are on their way to one thread, or wait there for room; the last batch comes on top. */
export const TRANSIT_BYTES_MAX = 4 * 1024 * 1024

const NOTHING: WorkProgress = { records: 0, rows: 0, tables: 0, catchingUp: [], fenced: [] }

export interface WorkerPoolOptions {
  readonly threads: readonly WorkThread[]
  /** Topics that share one of these may feed one table. */
  readonly tiesOf: (topic: string) => readonly string[]
  /** All partitions that there are now. */
  readonly partitions: () => Promise<readonly PartitionRange[]>
  readonly writeLetters: WriteLetters
  readonly logger: Logger
  readonly observe: Observe
}

/**
 * The work on topics, shared out to threads: each topic, and all that may feed its tables, belongs to one of them.
 *
 * What is taken is on its way when `take` resolves; an error of it comes out of the next call.
 */
export class WorkerPool implements TopicWork {
  readonly #options: WorkerPoolOptions
  readonly #pins: TopicPins
  readonly #threads: readonly Thread[]
  #hasTaken = false
  #failure: { readonly error: unknown } | null = null
  /** Woken by everything that makes room, or an end. */
  #wake: () => void = () => {}

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#pins = new TopicPins(options.threads.length, options.tiesOf)
    this.#threads = options.threads.map((thread, number) => this.#linked(thread, number))
  }

  async isWithin(range: PartitionRange, passed: PassedPartition | null): Promise<boolean> {
    return (await this.#threadFor(range)).calls.call('isWithin', [range, passed])
  }

  async start(range: PartitionRange, passed: PassedPartition | null): Promise<bigint | null> {
    return (await this.#threadFor(range)).calls.call('start', [range, passed])
  }

  async take(batch: RecordBatch): Promise<void> {
    this.#rethrow()
    this.#hasTaken = true
    const thread = this.#threadOf(batch)
    const packed = packBatch(batch)
    thread.transitBytes += batch.sizeBytes
    thread.calls.call('take', [packed], [packed.arena]).then(
      () => {
        thread.transitBytes -= batch.sizeBytes
        this.#wake()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  /** Who brings records hears how things stood a moment ago; who has none to bring hears how they stand. */
  async tick(): Promise<WorkProgress> {
    this.#rethrow()
    const isIdle = !this.#hasTaken
    this.#hasTaken = false
    if (isIdle) await this.#all(({ ticking }) => ticking ?? Promise.resolve())
    const ticks = this.#all((thread) => this.#tick(thread))
    if (isIdle) await ticks
    this.#rethrow()
    const all = this.#threads.map(({ progress }) => progress)
    const sum = (of: (progress: WorkProgress) => number) =>
      all.reduce((total, progress) => total + of(progress), 0)
    return {
      records: sum(({ records }) => records),
      rows: sum(({ rows }) => rows),
      tables: sum(({ tables }) => tables),
      catchingUp: [...new Set(all.flatMap(({ catchingUp }) => catchingUp))],
      fenced: [...new Set(all.flatMap(({ fenced }) => fenced))],
    }
  }

  async room(): Promise<void> {
    this.#rethrow()
    while (this.#threads.some(({ transitBytes }) => transitBytes >= TRANSIT_BYTES_MAX)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#rethrow()
    }
  }

  async flushAll(): Promise<void> {
    await this.#all(({ calls }) => calls.call('flushAll', []))
    this.#rethrow()
  }

  async giveUp(partitions: readonly PartitionRef[]): Promise<void> {
    await this.#all((thread) => {
      const own = partitions.filter(({ topic }) => this.#pins.threadOf(topic) === thread.number)
      return own.length === 0 ? Promise.resolve() : thread.calls.call('giveUp', [own])
    })
  }

  async hold(tables: readonly string[]): Promise<void> {
    await this.#all(({ calls }) => calls.call('hold', [tables]))
  }

  async followFormerOwners(): Promise<void> {
    await this.#all(({ calls }) => calls.call('followFormerOwners', []))
  }

  /** A table that other topics told of may have stopped in more than one thread. */
  async resume(order: ResumeOrder): Promise<ResumeAnswer> {
    const answers = await this.#all(({ calls }) => calls.call('resume', [order]))
    const weight = { refused: 2, done: 1, 'not-mine': 0 } as const
    return answers.reduce((worst, answer) =>
      weight[answer.outcome] > weight[worst.outcome] ? answer : worst,
    )
  }

  watch(order: WatchOrder): Promise<ResumeAnswer> {
    return this.#ownerOf(({ calls }) => calls.call('watch', [order]))
  }

  give(order: GiveOrder): Promise<ResumeAnswer> {
    return this.#ownerOf(({ calls }) => calls.call('give', [order]))
  }

  /** What the thread answers that has the table. */
  async #ownerOf(ask: (thread: Thread) => Promise<ResumeAnswer>): Promise<ResumeAnswer> {
    const answers = await this.#all(ask)
    return answers.find(({ outcome }) => outcome !== 'not-mine') ?? answers[0]!
  }

  async nextRange(table: string, ranges: readonly PartitionRange[]): Promise<CatchUpRange | null> {
    const thread = this.#threads.find(({ progress }) => progress.catchingUp.includes(table))
    return thread === undefined ? null : thread.calls.call('nextRange', [table, ranges])
  }

  async takeRange(table: string, batch: RecordBatch): Promise<void> {
    const packed = packBatch(batch)
    await this.#threadOf(batch).calls.call('takeRange', [table, packed], [packed.arena])
  }

  async endRange(table: string, range: OffsetRange): Promise<void> {
    await this.#threadOf(range).calls.call('endRange', [table, range])
  }

  async knowMark(mark: MarkKnowledge): Promise<void> {
    await this.#all(({ calls }) => calls.call('knowMark', [mark]))
  }

  async floors(): Promise<readonly TableFloor[]> {
    return (await this.#all(({ calls }) => calls.call('floors', []))).flat()
  }

  async begun(): Promise<readonly string[]> {
    return (await this.#all(({ calls }) => calls.call('begun', []))).flat()
  }

  async passed(): Promise<readonly PassedPartition[]> {
    return (await this.#all(({ calls }) => calls.call('passed', []))).flat()
  }

  async cutShort(): Promise<void> {
    await this.#all(({ calls }) => calls.call('cutShort', []))
  }

  /** A thread that broke off has nothing in flight any more. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.#threads.map(({ calls }) => calls.call('abandon', [])))
  }

  async report(): Promise<WorkReport> {
    const reports = await this.#all(({ calls }) => calls.call('report', []))
    const tally = emptyTally()
    const deadLetterReasons = new Map<string, number>()
    for (const report of reports) {
      addTally(tally, report.tally)
      for (const [reason, count] of report.deadLetterReasons) {
        deadLetterReasons.set(reason, (deadLetterReasons.get(reason) ?? 0) + count)
      }
    }
    const records = reports.reduce((sum, report) => sum + report.records, 0)
    return { records, tally, tables: joined(reports.flatMap(({ tables }) => tables)), deadLetterReasons }
  }

  async sample(): Promise<WorkSample> {
    return joinSamples(await this.#all(({ calls }) => calls.call('sample', [])))
  }

  /** Ends the threads, whatever they are doing. */
  async close(): Promise<void> {
    await Promise.all(this.#options.threads.map((thread) => thread.close()))
  }

  #linked(thread: WorkThread, number: number): Thread {
    const { writeLetters, logger, observe } = this.#options
    const host: WorkHost = {
      writeLetters: (letters) => writeLetters(letters),
      log: async (level, fields, message) => logger[level](fields, message),
      observe: async (facts) => facts.forEach(observe),
    }
    const calls = new MessageCalls<ServedWork>(thread.channel, host)
    thread.whenBroken((error) => {
      this.#fail(error)
      calls.fail(error)
    })
    return { number, calls, transitBytes: 0, progress: NOTHING, ticking: null }
  }

  async #threadFor(range: PartitionRange): Promise<Thread> {
    if (this.#pins.threadOf(range.topic) === null)
      this.#pins.pin([...(await this.#options.partitions()), range])
    return this.#threadOf(range)
  }

  #threadOf({ topic }: PartitionRef): Thread {
    const number = this.#pins.threadOf(topic)
    assert(number !== null, 'a partition was asked for before anything of it comes')
    return this.#threads[number]!
  }

  /** One at a time: a thread that has much to do need not be told again. */
  #tick(thread: Thread): Promise<void> {
    thread.ticking ??= thread.calls
      .call('tick', [])
      .then((progress) => {
        thread.progress = progress
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        thread.ticking = null
      })
    return thread.ticking
  }

  #all<T>(ask: (thread: Thread) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#threads.map(ask))
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  #rethrow(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}

interface Thread {
  readonly number: number
  readonly calls: MessageCalls<ServedWork>
  /** Bytes of raw records that were sent and not taken yet. */
  transitBytes: number
  /** As last told. */
  progress: WorkProgress
  ticking: Promise<void> | null
}

/** A table that a topic of another thread told of is in the report of both. */
function joined(reports: readonly TableReport[]): readonly TableReport[] {
  const byName = new Map<string, TableReport>()
  for (const report of reports) {
    const other = byName.get(report.name)
    byName.set(report.name, other === undefined ? report : both(other, report))
  }
  return [...byName.values()]
}

function both(a: TableReport, b: TableReport): TableReport {
  const newest = (a.version ?? -1) >= (b.version ?? -1) ? a : b
  return {
    ...newest,
    inserts: a.inserts + b.inserts,
    updates: a.updates + b.updates,
    deletes: a.deletes + b.deletes,
    unresolvedUnavailable: a.unresolvedUnavailable + b.unresolvedUnavailable,
    ambiguousKeyMoves: a.ambiguousKeyMoves + b.ambiguousKeyMoves,
    stopped: a.stopped ?? b.stopped,
    isUndecided: (a.stopped === null ? b : a).isUndecided,
  }
}
