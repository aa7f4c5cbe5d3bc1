import { messageOf } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { readProofs } from '../../dq/proof-log.ts'
import type { Config, PipelineConfig } from '../config/config.ts'
import { DEFAULT_LISTEN } from '../config/default-config.ts'
import type { Engine } from '../engine.ts'
import { startHttpServer } from '../io/http-server.ts'
import { packageVersion } from '../io/package-version.ts'
import { systemClock } from '../io/system-clock.ts'
import type { SlotSample } from '../ops/pipeline-sample.ts'
import { PipelineWatch } from '../ops/pipeline-watch.ts'
import { ProcessMetrics } from '../ops/process-metrics.ts'

/** Enough for some checks of each of a thousand tables. */
const PROOFS_MAX = 5000

/** Metrics, health and the status page of a process that stays up. */
export class ProcessWatch {
  readonly #watches: ReadonlyMap<string, PipelineWatch>
  readonly #config: Config
  readonly #ended = new AbortController()
  readonly #closing: (() => Promise<void>)[] = []

  private constructor(config: Config, watches: readonly PipelineWatch[]) {
    this.#config = config
    this.#watches = new Map(watches.map((watch) => [watch.name, watch]))
  }

  /**
   * @param say tells a person where to look
   * @throws EngineError `E_HTTP_LISTEN` (stop) when an address that somebody chose cannot be had
   */
  static async start(
    config: Config,
    pipelines: readonly PipelineConfig[],
    logger: Logger,
    say: (line: string) => void,
  ): Promise<ProcessWatch> {
    const version = packageVersion()
    const metrics = new ProcessMetrics(version)
    metrics.registry.watchProcess()
    const world = { clock: systemClock, logger }
    const watches = pipelines.map(({ name, tables }) => {
      const own = metrics.pipeline(name, [...tables.keys()], systemClock.nowMs())
      return new PipelineWatch(name, own, world)
    })
    const watch = new ProcessWatch(config, watches)
    const { listen, metricsToken } = config.http
    const options = { watches, metrics, version, lake: config.lake.location, metricsToken }
    try {
      const server = await startHttpServer(listen, options)
      watch.#closing.push(() => server.close())
      say(`status: http://${server.address.host}:${server.address.port}/`)
    } catch (error) {
      // Several processes of one machine start with the same default: only one of them can be asked there.
      if (listen !== DEFAULT_LISTEN) throw error
      logger.info({ event: 'http.not-served', listen }, messageOf(error))
      say(`no status page: ${messageOf(error)}`)
    }
    return watch
  }

  of({ name }: PipelineConfig): PipelineWatch {
    return this.#watches.get(name)!
  }

  /** A pipeline has been opened: it is looked at from now on. */
  async follow(watch: PipelineWatch, { pipeline, source, store }: Engine): Promise<void> {
    const slots = await this.#slots()
    const watched = {
      name: watch.name,
      sample: () => pipeline.sample(),
      partitions: () => source.partitions(),
      slots,
      proofs: () => readProofs(store, PROOFS_MAX),
    }
    void watch.follow(watched, this.#ended.signal)
  }

  async close(): Promise<void> {
    this.#ended.abort()
    await Promise.all(this.#closing.map((close) => close()))
  }

  /** The driver of Postgres is loaded only where a database is named. */
  async #slots(): Promise<() => Promise<readonly SlotSample[]>> {
    const { source } = this.#config.dq
    if (source === undefined) return async () => []
    const { PostgresConnectionManager } = await import('../postgres/connection-manager.ts')
    const { readReplicationSlots } = await import('../postgres/cdc-readiness.ts')
    const database = new PostgresConnectionManager({ connectionString: source, poolSize: 1, attempts: 1 })
    this.#closing.push(() => database.close())
    return async () =>
      (await readReplicationSlots(database)).map(({ name, isActive, walStatus, retainedBytes }) => ({
        ...{ name, isActive },
        isLost: walStatus === 'lost' || walStatus === 'unreserved',
        retainedBytes: retainedBytes === null ? null : Number(retainedBytes),
      }))
  }
}
