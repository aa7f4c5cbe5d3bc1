import { messageOf } from '../../core/errors.ts'
import type { Fact } from '../../core/fact.ts'
import type { Clock, Logger, PartitionRange } from '../../core/ports.ts'
import type { PastCheck } from '../../dq/proof-log.ts'
import type { PipelineSample } from '../pipeline/pipeline.ts'
import { errorType } from './error-type.ts'
import { judgeHealth } from './health.ts'
import { POINT_EVERY_MS } from './history.ts'
import { PipelineHistory } from './pipeline-history.ts'
import type { PipelineMetrics } from './pipeline-metrics.ts'
import type { SlotSample, WatchedSample } from './pipeline-sample.ts'
import { type TableProofs, tableProofs } from './table-proofs.ts'

/** Whoever asks sooner is told what was seen the last time. */
const FRESH_MS = 1000
/** The source and its database are asked no more often. */
const ASK_EVERY_MS = 15_000
/** A loop that was held up for a moment looks like brokers that are gone. */
const MISSES_MAX = 2
/** Checks are read from the lake, all that there are: seldom enough to cost nothing. */
const PROOFS_EVERY_MS = 300_000
/** A thread that is busy, or brokers that are gone, keep nobody waiting for longer. */
const ANSWER_MS = 2000

export interface WatchedPipeline {
  readonly name: string
  sample(): Promise<PipelineSample>
  /** All partitions there are now, with their ends. */
  partitions(): Promise<readonly PartitionRange[]>
  /** Of the source database; none when it is not known. */
  slots(): Promise<readonly SlotSample[]>
  /** The newest checks of the lake, the newest first. */
  proofs(): Promise<readonly PastCheck[]>
}

/** Looks at one pipeline for all who ask: metrics, health, the status page. */
export class PipelineWatch {
  readonly name: string
  readonly startedMs: number
  readonly history: PipelineHistory
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #metrics: PipelineMetrics
  #pipeline: WatchedPipeline | null = null
  #last: WatchedSample | null = null
  #sampling: Promise<WatchedSample | null> | null = null
  #ends: ReadonlyMap<string, bigint> | null = null
  #slots: readonly SlotSample[] = []
  #proofs: ReadonlyMap<string, TableProofs> = new Map()
  /** Times in a row that the source did not answer. */
  #misses = 0
  #isAssigned = false
  /** Under way now. */
  #storeCalls = 0

  constructor(
    name: string,
    metrics: PipelineMetrics,
    world: { readonly clock: Clock; readonly logger: Logger },
  ) {
    const { clock, logger } = world
    this.name = name
    this.#metrics = metrics
    this.#clock = clock
    this.#logger = logger
    this.startedMs = clock.nowMs()
    this.history = new PipelineHistory(this.startedMs)
  }

  readonly observe = (fact: Fact): void => {
    if (fact.kind === 'store-asked') this.#storeCalls++
    if (fact.kind === 'store-request') this.#storeCalls--
    if (fact.kind === 'partitions-moved') this.#isAssigned = true
    this.#metrics.observe(fact)
    this.history.observe(fact)
  }

  /** The pipeline has ended with an error: its siblings may go on. */
  noteFailure(code: string): void {
    this.#metrics.countError(errorType(code))
  }

  /** Looks at regular times, until the signal comes. */
  async follow(pipeline: WatchedPipeline, signal: AbortSignal): Promise<void> {
    this.#pipeline = pipeline
    let proofsAtMs = Number.NEGATIVE_INFINITY
    for (let askAtMs = 0; !signal.aborted; ) {
      const nowMs = this.#clock.monotonicMs()
      if (nowMs - proofsAtMs >= PROOFS_EVERY_MS) {
        proofsAtMs = nowMs
        void this.#readProofs(pipeline)
      }
      if (nowMs >= askAtMs) {
        askAtMs = nowMs + ASK_EVERY_MS
        await this.#ask(pipeline)
      }
      const sample = await this.sample()
      if (sample !== null) this.history.take(sample)
      await this.#clock.sleep(POINT_EVERY_MS, signal)
    }
  }

  /** As things stand now, or a moment ago. @returns `null`: it is not open yet, or was too busy to answer so far */
  async sample(): Promise<WatchedSample | null> {
    if (this.#last !== null && this.#clock.nowMs() - this.#last.atMs < FRESH_MS) return this.#last
    this.#sampling ??= this.#look().finally(() => {
      this.#sampling = null
    })
    return this.#sampling
  }

  async #look(): Promise<WatchedSample | null> {
    if (this.#pipeline === null) return null
    const seen = await this.#inTime(this.#pipeline.sample())
    if (seen === null) return this.#last
    const health = judgeHealth(seen, {
      isAssigned: this.#isAssigned,
      isSourceReachable: this.#misses < MISSES_MAX,
      lostSlots: this.#slots.filter(({ isLost }) => isLost).map(({ name: slot }) => slot),
      waitsForStore: this.#storeCalls > 0,
    })
    const { name, startedMs } = this
    const atMs = this.#clock.nowMs()
    const sample = {
      ...seen,
      name,
      startedMs,
      atMs,
      ends: this.#ends,
      slots: this.#slots,
      proofs: this.#proofs,
      health,
    }
    this.#metrics.take(sample)
    this.#last = sample
    return sample
  }

  async #ask(pipeline: WatchedPipeline): Promise<void> {
    const ranges = await this.#inTime(pipeline.partitions())
    this.#misses = ranges === null ? this.#misses + 1 : 0
    this.#ends =
      ranges && new Map(ranges.map(({ topic, partition, endOffset }) => [`${topic}/${partition}`, endOffset]))
    this.#slots = (await this.#inTime(pipeline.slots())) ?? []
  }

  async #readProofs(pipeline: WatchedPipeline): Promise<void> {
    try {
      this.#proofs = tableProofs(await pipeline.proofs())
    } catch (error) {
      this.#tellFailure(error)
    }
  }

  #tellFailure(error: unknown): void {
    const fields = { event: 'watch.failed', pipeline: this.name, error: messageOf(error) }
    this.#logger.debug(fields, 'a look at the pipeline failed')
  }

  /** @returns `null`: it failed, or took too long */
  async #inTime<T>(work: Promise<T>): Promise<T | null> {
    const late = new AbortController()
    const tooLate = this.#clock.sleep(ANSWER_MS, late.signal).then(() => null)
    try {
      return await Promise.race([work, tooLate])
    } catch (error) {
      this.#tellFailure(error)
      return null
    } finally {
      late.abort()
    }
  }
}
