import { assert } from '../../core/assert.ts'
import { unobserved } from '../../core/fact.ts'
import type { Logger } from '../../core/ports.ts'
import type { Tally } from '../../writers/tally.ts'
import { type Engine, openEngine } from '../engine.ts'
import { systemClock } from '../io/system-clock.ts'
import { lagSeconds } from '../ops/lag.ts'
import type { PipelineSample, RunReport } from '../pipeline/pipeline.ts'
import type { StopReason } from '../pipeline/table-report.ts'
import type { PartitionSample, TableStateName } from '../pipeline/work-sample.ts'
import { configuredPipeline, type PipelineChoice } from './configured-pipeline.ts'
import { SILENT } from './silent.ts'

export interface PostgresCDCPipelineOptions extends PipelineChoice {
  /** For local state that may be deleted at any time; default: `.alluvium`. */
  readonly stateDirectory?: string
  readonly logger?: Logger
}

export interface StartOptions {
  /** Rows of a batch at most, instead of what the configuration says (`batch.rows`). */
  readonly batchSize?: number
  /** End when every partition has been read to the end it had at the start. */
  readonly untilEnd?: boolean
}

/** How a pipeline stands at one moment. */
export interface PipelineStatus {
  readonly state: 'idle' | 'starting' | 'running' | 'ending' | 'ended'
  readonly records: number
  readonly tally: Tally | null
  readonly tables: readonly PipelineTableStatus[]
  /** The next offset to look at, by partition. */
  readonly partitions: readonly PartitionSample[]
}

export interface PipelineTableStatus {
  readonly name: string
  readonly state: TableStateName
  /** Of its last commit; `null`: there is no table yet. */
  readonly version: number | null
  /** Age of the oldest event that is not durable; 0 when all is. */
  readonly lagSeconds: number
  readonly pendingEvents: number
  /** Why it takes nothing more; its siblings go on. */
  readonly stopped: StopReason | null
}

/**
 * One pipeline of a configuration, run by a program instead of by `alluvium ingest`.
 *
 * ```ts
 * const pipeline = new PostgresCDCPipeline({ config: 'alluvium.yaml' })
 * process.once('SIGTERM', () => void pipeline.stop())
 * const { tables } = await pipeline.start({ batchSize: 100 })
 * ```
 */
export class PostgresCDCPipeline {
  readonly #options: PostgresCDCPipelineOptions
  readonly #ended = new AbortController()
  #run: Promise<RunReport> | null = null
  /** While it runs. */
  #engine: Engine | null = null
  /** When it has ended well: there is nobody to be asked any more. */
  #last: PipelineSample | null = null
  #isOver = false
  #startedMs = 0

  constructor(options: PostgresCDCPipelineOptions = {}) {
    this.#options = options
  }

  /**
   * Runs until the end, or until it is stopped; once in the life of this object.
   *
   * @returns what was done; its tally adds up to the records read
   * @throws EngineError what the configuration lacks, or what ended the run
   */
  start(options: StartOptions = {}): Promise<RunReport> {
    assert(this.#run === null, 'a pipeline is started once')
    this.#run = this.#start(options).finally(() => {
      this.#isOver = true
    })
    return this.#run
  }

  /** What it holds is made durable first. Resolves when nothing of it runs any more, however it ended. */
  async stop(): Promise<void> {
    this.#ended.abort()
    await this.#run?.catch(() => {})
  }

  async status(): Promise<PipelineStatus> {
    const sample = this.#last ?? (await this.#engine?.pipeline.sample())
    if (sample === undefined) {
      const state = this.#run === null ? 'idle' : this.#isOver ? 'ended' : 'starting'
      return { state, records: 0, tally: null, tables: [], partitions: [] }
    }
    const { phase, work } = sample
    const nowMs = systemClock.nowMs()
    return {
      state: phase,
      records: work.records,
      tally: work.tally,
      tables: work.tables.map((table) => ({
        ...{ name: table.name, state: table.state, version: table.version },
        ...{ pendingEvents: table.pendingEvents, stopped: table.stopped },
        lagSeconds: lagSeconds(table, nowMs, this.#startedMs),
      })),
      partitions: work.partitions,
    }
  }

  async #start({ batchSize, untilEnd = false }: StartOptions): Promise<RunReport> {
    const { stateDirectory = '.alluvium', logger = SILENT } = this.#options
    const { config, pipeline } = await configuredPipeline(this.#options)
    const { batch } = pipeline
    this.#startedMs = systemClock.nowMs()
    const engine = await openEngine({
      config,
      pipeline: { ...pipeline, batch: { ...batch, rows: batchSize ?? batch.rows } },
      ...{ logger, stateDirectory, observe: unobserved, failpoint: undefined, pipelineCount: 1 },
    })
    this.#engine = engine
    try {
      const report = await engine.pipeline.run({ untilEnd, signal: this.#ended.signal, onProgress: () => {} })
      this.#last = await engine.pipeline.sample()
      return report
    } finally {
      this.#engine = null
      await engine.close()
    }
  }
}
