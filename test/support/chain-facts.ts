import { parseConfig } from '../../src/config/parse-config.ts'
import { DebeziumConfigBuilder } from '../../src/setup/debezium-config.ts'
import type { ChainFacts, ConnectorFacts, GroupFacts, TopicFact } from '../../src/setup/doctor/chain-facts.ts'
import type { Gathered } from '../../src/setup/doctor/finding.ts'
import type { SourceFacts } from '../../src/setup/source-facts.ts'
import { soundSource } from './source-facts.ts'

const CONFIG = `
lake: s3://lake/delta
profile: prod
store: { encryption: { kind: AES256 } }
pipelines:
  shop:
    source:
      kafka: { brokers: [kafka:9093], topics: ["shop.public.*"], ssl: true, sasl: { mechanism: plain, username: u, password: "\${PW}" } }
    postgres: { connection: "\${DSN}", publication: alluvium, slot: alluvium, tables: [public.orders] }
    connector: { url: "https://connect:8083" }
    tables: { public.orders: {} }
dq: { schedule: { row-count: "* * * * *", checksum: "0 3 * * *" } }
`

const DAY_MS = 86_400_000

/** A pipeline that is in production with nothing amiss. */
export function soundChain(): ChainFacts {
  const variables: Readonly<Record<string, string>> = { PW: 'pw', DSN: 'postgres://cdc_dq@db/shop' }
  const config = parseConfig(CONFIG, 'alluvium.yaml', (name) => variables[name])
  const [pipeline] = config.pipelines
  const source = soundSource()
  return {
    pipeline: pipeline!,
    upstream: config.upstreams.get('shop')!,
    deployment: {
      profile: 'prod',
      lake: 's3',
      storeIsEncrypted: true,
      listensTo: '127.0.0.1',
      warnings: [],
      schedule: ['row-count', 'checksum'],
      secretFiles: [{ path: '/run/secrets/kafka', isOpenToAll: false }],
    },
    source: known(source),
    connector: known(soundConnector()),
    topics: known({ brokerCount: 3, topics: [TOPIC] }),
    group: known(GROUP),
    store: known({ conditionalPut: null, refused: [] }),
    tables: known([
      {
        name: 'public.orders',
        path: 'public/orders',
        problem: null,
        readerFeatures: ['deletionVectors'],
        writerFeatures: ['deletionVectors'],
        key: ['id'],
        incomplete: [],
        isPaused: false,
      },
    ]),
    nowMs: source.server.nowMs + 100,
  }
}

export function known<T>(value: T): Gathered<T> {
  return { kind: 'known', value }
}

export const GROUP: GroupFacts = { state: 'Stable', members: 1, isRunning: true, aheadOf: [] }

export const TOPIC: TopicFact = {
  name: 'shop.public.orders',
  replicas: 3,
  retentionMs: 7 * DAY_MS,
  isCompacted: false,
  isDeleted: true,
  minInSyncReplicas: 2,
  feeds: ['public.orders'],
  partitions: [
    { partition: 0, startOffset: 10n, endOffset: 100n, nextOffset: 90n, lagMs: null, hasLeader: true },
    { partition: 1, startOffset: 0n, endOffset: 50n, nextOffset: null, lagMs: null, hasLeader: true },
  ],
}

/** What `connector register` sends, running. */
export function soundConnector(): ConnectorFacts {
  const { config } = new DebeziumConfigBuilder({
    connectorName: 'shop',
    databaseHostname: 'db',
    databaseUser: 'cdc_repl',
    databasePassword: '${env:CDC_REPL_PASSWORD}',
    databaseName: 'shop',
    tableIncludeList: ['public.orders'],
    slotName: 'alluvium',
    publicationName: 'alluvium',
  }).build()
  const task = { id: 0, state: 'RUNNING', worker: 'w', trace: null }
  return { config, status: { name: 'shop', state: 'RUNNING', worker: 'w', trace: null, tasks: [task] } }
}

/** The chain with another source. */
export function withSource(change: (source: SourceFacts) => Partial<SourceFacts>): Partial<ChainFacts> {
  const source = soundSource()
  return { source: known({ ...source, ...change(source) }) }
}

/** The chain with another connector. */
export function withConnector(change: Partial<ConnectorFacts>): Partial<ChainFacts> {
  return { connector: known({ ...soundConnector(), ...change }) }
}

/** The chain with other properties of the connector; `null` takes one away. */
export function withProperties(change: Readonly<Record<string, string | null>>): Partial<ChainFacts> {
  const entries = Object.entries({ ...soundConnector().config, ...change }).filter(
    ([, value]) => value !== null,
  )
  return withConnector({ config: Object.fromEntries(entries) as Record<string, string> })
}

/** The chain with one other topic. */
export function withTopic(change: Partial<TopicFact>): Partial<ChainFacts> {
  return { topics: known({ brokerCount: 3, topics: [{ ...TOPIC, ...change }] }) }
}
