import { type Observe, unobserved } from '../core/fact.ts'
import type { ChangeSource, Logger, ObjectStore, TopicTimes } from '../core/ports.ts'
import type { LocatorPorts } from '../writers/locator/located-keys.ts'
import { LocatorMemory } from '../writers/locator/locator-memory.ts'
import type { TableLogPorts } from '../writers/table-log.ts'
import { type Config, contractFor, type PipelineConfig } from './config/config.ts'
import { failpoint } from './io/failpoint.ts'
import { FileSource } from './io/file-source.ts'
import { LocalDirectory } from './io/local-files.ts'
import { openStore } from './io/open-store.ts'
import { probeConditionalPut } from './io/probe-conditional-put.ts'
import type { Host } from './io/served-work.ts'
import { systemClock } from './io/system-clock.ts'
import { systemRandom } from './io/system-random.ts'
import { startWorkThread } from './io/work-thread.ts'
import { TRANSIT_BYTES_MAX, WorkerPool } from './io/worker-pool.ts'
import { ObservedStore } from './ops/observed-store.ts'
import type { WriteLetters } from './pipeline/letter-box.ts'
import { BUFFER_BYTES_MAX, Pipeline, type PipelineOptions } from './pipeline/pipeline.ts'
import type { TopicWork } from './pipeline/topic-work.ts'
import { TopicWorker } from './pipeline/topic-worker.ts'
import { type PipelineRules, pipelineOptions, topicTies } from './pipeline-options.ts'

export interface EngineSettings {
  readonly config: Config
  readonly pipeline: PipelineConfig
  readonly logger: Logger
  readonly observe: Observe
  /** `ALLUVIUM_FAILPOINT`: for tests of crashes. */
  readonly failpoint: string | undefined
  /** Local state, which may be deleted at any time. */
  readonly stateDirectory: string
  /** Instead of the source that the configuration names: for those who hand records in. */
  readonly source?: ChangeSource
  /** Pipelines that run in this process: they share its memory. */
  readonly pipelineCount: number
}

export interface Engine {
  readonly pipeline: Pipeline
  readonly source: ChangeSource
  readonly store: ObjectStore
  /** Leaves the source and ends the threads, whatever they are doing. */
  close(): Promise<void>
}

/** Where locators may keep what they know. */
interface LocatorRoom {
  readonly stateDirectory: string
  /** Bytes that they may hold in memory. */
  readonly memory: number
}

/** What a thread has to know to do the work on topics; can be cloned. */
export interface WorkSettings {
  readonly config: Pick<Config, 'lake' | 'store'>
  readonly pipeline: PipelineRules
  readonly failpoint: string | undefined
  readonly locator: LocatorRoom
  /** Of raw records that all its tables together may hold. */
  readonly bytesMax: number
}

/** Puts one pipeline together: the only place that knows both the loop and the world. */
export async function openEngine(settings: EngineSettings): Promise<Engine> {
  const { config, pipeline: pipelineConfig, logger, observe } = settings
  const opened = await openPorts(config, logger, settings.failpoint, observe)
  const ports = { ...opened, locators: locatorPorts(locatorRoom(settings, 1)) }
  if (config.lake.kind === 's3') await probeConditionalPut(ports.store, ports.random)
  const options = pipelineOptions(pipelineConfig)
  const source = settings.source ?? (await openSource(pipelineConfig, options, logger, observe))
  const closing: (() => Promise<void>)[] = [() => source.close()]
  const bytesMax = Math.floor(BUFFER_BYTES_MAX / settings.pipelineCount)
  const pipeline = await Pipeline.open(ports, source, options, (writeLetters) => {
    if (pipelineConfig.workers === 0) return new TopicWorker(ports, options, writeLetters, bytesMax)
    const pool = startPool(settings, source, writeLetters, bytesMax)
    closing.push(() => pool.close())
    return pool
  })
  const { store } = ports
  return { pipeline, source, store, close: async () => void (await Promise.all(closing.map((end) => end()))) }
}

/** @param sharers that have their own part of the pipeline's memory */
function locatorRoom(
  { config, stateDirectory, pipelineCount }: EngineSettings,
  sharers: number,
): LocatorRoom {
  return { stateDirectory, memory: Math.floor(config.locator.memory / pipelineCount / sharers) }
}

function locatorPorts({ stateDirectory, memory }: LocatorRoom): LocatorPorts {
  return { files: new LocalDirectory(stateDirectory), memory: new LocatorMemory(memory) }
}

function startPool(
  engine: EngineSettings,
  source: ChangeSource,
  writeLetters: WriteLetters,
  bytesMax: number,
): WorkerPool {
  const { config, pipeline, logger, observe, failpoint } = engine
  const { source: _, ...rules } = pipeline
  const settings: WorkSettings = {
    config: { lake: config.lake, store: config.store },
    pipeline: rules,
    failpoint,
    locator: locatorRoom(engine, rules.workers),
    bytesMax: Math.max(Math.floor(bytesMax / rules.workers) - TRANSIT_BYTES_MAX, TRANSIT_BYTES_MAX),
  }
  return new WorkerPool({
    threads: Array.from({ length: rules.workers }, () => startWorkThread(settings)),
    tiesOf: (topic) => topicTies(topic, rules),
    partitions: () => source.partitions(),
    writeLetters,
    logger,
    observe,
  })
}

/** The work on topics as a thread does it, with a store of its own. */
export async function openTopicWork(
  { config, pipeline, failpoint, locator, bytesMax }: WorkSettings,
  { writeLetters, logger, observe }: Host,
): Promise<TopicWork> {
  const ports = await openPorts(config, logger, failpoint, observe)
  const located = { ...ports, locators: locatorPorts(locator) }
  return new TopicWorker(located, pipelineOptions(pipeline), writeLetters, bytesMax)
}

/** What commands need that look at a lake without running a pipeline. */
export async function openPorts(
  config: Pick<Config, 'lake' | 'store'>,
  logger: Logger,
  failpointSetting: string | undefined,
  observe: Observe = unobserved,
): Promise<TableLogPorts> {
  const world = {
    clock: systemClock,
    random: systemRandom,
    stepReached: failpoint(failpointSetting),
    observe,
  }
  const store = await openStore(config.lake, config.store, world)
  return { ...world, store: new ObservedStore(store, systemClock, observe), logger }
}

/**
 * What whoever commits without running a pipeline needs: the store is known to make safe commits possible.
 *
 * @param locator not given: locators are held in memory
 */
export async function openWritingPorts(
  config: Pick<Config, 'lake' | 'store'>,
  logger: Logger,
  { failpoint, locator }: { readonly failpoint?: string | undefined; readonly locator?: LocatorRoom } = {},
): Promise<TableLogPorts> {
  const ports = await openPorts(config, logger, failpoint)
  if (config.lake.kind === 's3') await probeConditionalPut(ports.store, ports.random)
  return locator === undefined ? ports : { ...ports, locators: locatorPorts(locator) }
}

/** The source of a pipeline that is not run, to be asked what it holds. */
export function openPipelineSource(
  pipeline: PipelineConfig,
  logger: Logger,
): Promise<ChangeSource & Partial<TopicTimes>> {
  return openSource(pipeline, pipelineOptions(pipeline), logger, unobserved)
}

/** The Kafka client is loaded only where it is needed. */
async function openSource(
  pipeline: PipelineConfig,
  { tablesOf }: PipelineOptions,
  logger: Logger,
  observe: Observe,
): Promise<ChangeSource & Partial<TopicTimes>> {
  const { source } = pipeline
  if (source.kind === 'files') return new FileSource(source.directory, systemClock)
  const { KafkaSource } = await import('./io/kafka-source.ts')
  const ties = {
    tablesOf: (topic: string) => tablesOf(topic).map(({ name }) => name),
    isSpread: (table: string) => contractFor(pipeline, table).spread !== undefined,
  }
  return new KafkaSource({ settings: source, ties, clock: systemClock, logger, observe })
}
