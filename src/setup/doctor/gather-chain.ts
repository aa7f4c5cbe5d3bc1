import { EngineError } from '../../../core/errors.ts'
import type { Clock, ObjectStore, Random, SourceDatabase } from '../../../core/ports.ts'
import type { Config, PipelineConfig } from '../../config/config.ts'
import type { KafkaSettings } from '../../config/kafka-settings.ts'
import type { Secret } from '../../config/secret.ts'
import type { Upstream } from '../../config/upstream.ts'
import { readCheckpoints } from '../../pipeline/checkpoints.ts'
import { runningProcesses } from '../../pipeline/process-sign.ts'
import { RequestBox } from '../../pipeline/request-box.ts'
import { pipelineOptions } from '../../pipeline-options.ts'
import type { ConnectClient } from '../connect-client.ts'
import { readSourceFacts } from '../read-source-facts.ts'
import type { ChainFacts, ConnectorFacts, DeploymentFacts } from './chain-facts.ts'
import type { Gathered } from './finding.ts'
import { readStoreFacts } from './gather-store.ts'
import { readLakeTables } from './gather-tables.ts'
import { groupFacts, type InspectedCluster, topicsFacts } from './gather-topics.ts'
import { readDeployment, type WhoMayRead } from './read-deployment.ts'

/** The parts of the world that a pipeline stands on, to be asked. */
export interface ChainPorts {
  readonly clock: Clock
  readonly random: Random
  openDatabase(connection: Secret): SourceDatabase
  /** `null`: no Connect is named. */
  connect(upstream: Upstream): ConnectClient | null
  inspectKafka(settings: KafkaSettings): Promise<InspectedCluster>
  openStore(): Promise<ObjectStore>
  /** @throws EngineError `E_STORE_UNFIT` when the store does not keep two writers apart */
  probeStore(store: ObjectStore): Promise<void>
  readonly whoMayRead: WhoMayRead
}

/** Asks every part at once; one that does not answer costs what it would have told. */
export async function gatherChain(
  config: Config,
  pipeline: PipelineConfig,
  ports: ChainPorts,
): Promise<ChainFacts> {
  const upstream = config.upstreams.get(pipeline.name)!
  const { postgres } = upstream
  const [deployment, source, connector, lake] = await Promise.all([
    readDeployment(config, pipeline, ports.whoMayRead),
    postgres.connection === null ? UNNAMED : tried(() => askDatabase(upstream, postgres.connection!, ports)),
    tried(() => askConnect(upstream, ports)),
    tried(() => ports.openStore()),
  ])
  const lakeFacts = await askLake(lake, pipeline, ports)
  return {
    pipeline,
    upstream,
    deployment: deployment satisfies DeploymentFacts,
    source,
    connector:
      connector.kind === 'known' && connector.value === null
        ? UNNAMED
        : (connector as Gathered<ConnectorFacts>),
    ...lakeFacts,
    nowMs: ports.clock.nowMs(),
  }
}

const UNNAMED = { kind: 'unnamed' } as const

async function tried<T>(ask: () => Promise<T>): Promise<Gathered<T>> {
  try {
    return { kind: 'known', value: await ask() }
  } catch (error) {
    if (error instanceof EngineError) return { kind: 'unknown', error }
    throw error
  }
}

async function askDatabase({ postgres }: Upstream, connection: Secret, ports: ChainPorts) {
  const database = ports.openDatabase(connection)
  try {
    const question = { publication: postgres.publication, roles: [postgres.role, postgres.proofRole] }
    return await readSourceFacts(database, question, ports.clock)
  } finally {
    await database.close()
  }
}

async function askConnect(upstream: Upstream, ports: ChainPorts): Promise<ConnectorFacts | null> {
  const client = ports.connect(upstream)
  if (client === null || upstream.connector.kind === 'redpanda') return null
  const { name } = upstream.connector
  const config = await client.config(name)
  return { config, status: config === null ? null : await client.status(name) }
}

/** What the lake says, and the brokers, whose topics are held against it. */
async function askLake(
  lake: Gathered<ObjectStore>,
  pipeline: PipelineConfig,
  ports: ChainPorts,
): Promise<Pick<ChainFacts, 'store' | 'tables' | 'topics' | 'group'>> {
  const { source, name } = pipeline
  const cluster = source.kind === 'kafka' ? await tried(() => ports.inspectKafka(source)) : UNNAMED
  if (lake.kind !== 'known') return { store: lake, tables: UNNAMED, topics: UNNAMED, group: UNNAMED }
  const store = lake.value
  const { clock, random } = ports
  const [storeFacts, tables, checkpoints, running] = await Promise.all([
    tried(() => readStoreFacts(store, random, ports.probeStore)),
    tried(async () => readLakeTables(store, await pausedTables({ store, clock, random }, name))),
    tried(() => readCheckpoints(store, name)),
    tried(() => runningProcesses(store, clock, name)),
  ])
  const known = checkpoints.kind === 'known' ? checkpoints.value : { mark: new Map(), tables: [] }
  if (cluster.kind !== 'known') return { store: storeFacts, tables, topics: cluster, group: UNNAMED }
  const { tablesOf } = pipelineOptions(pipeline)
  const feedsOf = (topic: string) => tablesOf(topic).map((table) => table.name)
  const isRunning = running.kind === 'known' && running.value.length > 0
  return {
    store: storeFacts,
    tables,
    topics: { kind: 'known', value: topicsFacts(cluster.value, known, feedsOf) },
    group: { kind: 'known', value: groupFacts(cluster.value, known, isRunning) },
  }
}

async function pausedTables(
  ports: ConstructorParameters<typeof RequestBox>[0],
  pipeline: string,
): Promise<ReadonlySet<string>> {
  const requests = await new RequestBox(ports, pipeline).list()
  return new Set(requests.flatMap(({ ask }) => (ask?.kind === 'pause' ? [ask.table] : [])))
}
