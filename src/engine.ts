import type { ChangeSource, Logger } from '../core/ports.ts'
import type { TableLogPorts } from '../writers/table-log.ts'
import { type Config, contractFor, type PipelineConfig } from './config/config.ts'
import { failpoint } from './io/failpoint.ts'
import { FileSource } from './io/file-source.ts'
import { openStore } from './io/open-store.ts'
import { probeConditionalPut } from './io/probe-conditional-put.ts'
import { systemClock } from './io/system-clock.ts'
import { systemRandom } from './io/system-random.ts'
import { Pipeline, type PipelineOptions } from './pipeline/pipeline.ts'
import { pipelineOptions } from './pipeline-options.ts'

export interface EngineSettings {
  readonly config: Config
  readonly pipeline: PipelineConfig
  readonly logger: Logger
  /** `ALLUVIUM_FAILPOINT`: for tests of crashes. */
  readonly failpoint: string | undefined
}

export interface Engine {
  readonly pipeline: Pipeline
  readonly source: ChangeSource
}

/** Puts one pipeline together: the only place that knows both the loop and the world. */
export async function openEngine(settings: EngineSettings): Promise<Engine> {
  const { config, pipeline: pipelineConfig, logger } = settings
  const ports = await openPorts(config, logger, settings.failpoint)
  if (config.lake.kind === 's3') await probeConditionalPut(ports.store, ports.random)
  const options = pipelineOptions(pipelineConfig)
  const source = await openSource(pipelineConfig, options, logger)
  const pipeline = await Pipeline.open(ports, source, options)
  return { pipeline, source }
}

/** What commands need that look at a lake without running a pipeline. */
export async function openPorts(
  config: Config,
  logger: Logger,
  failpointSetting: string | undefined,
): Promise<TableLogPorts> {
  const world = { clock: systemClock, random: systemRandom, stepReached: failpoint(failpointSetting) }
  return { ...world, store: await openStore(config.lake, config.store, world), logger }
}

/** The source of a pipeline that is not run, to be asked what it holds. */
export function openPipelineSource(pipeline: PipelineConfig, logger: Logger): Promise<ChangeSource> {
  return openSource(pipeline, pipelineOptions(pipeline), logger)
}

/** The Kafka client is loaded only where it is needed. */
async function openSource(
  pipeline: PipelineConfig,
  { tablesOf }: PipelineOptions,
  logger: Logger,
): Promise<ChangeSource> {
  const { source } = pipeline
  if (source.kind === 'files') return new FileSource(source.directory, systemClock)
  const { KafkaSource } = await import('./io/kafka-source.ts')
  const ties = {
    tablesOf: (topic: string) => tablesOf(topic).map(({ name }) => name),
    isSpread: (table: string) => contractFor(pipeline, table).spread !== undefined,
  }
  return new KafkaSource({ settings: source, ties, clock: systemClock, logger })
}
