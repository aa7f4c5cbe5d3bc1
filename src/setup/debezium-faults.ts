import { DEFAULT_POSTGRES } from '../config/upstream.ts'
import type { DebeziumOptions, MongoConnectorOptions, PostgresConnectorOptions } from './debezium-config.ts'

const POSTGRES_SNAPSHOTS = [
  'initial',
  'initial_only',
  'no_data',
  'always',
  'when_needed',
  'configuration_based',
  'custom',
]
const MONGO_SNAPSHOTS = [
  'initial',
  'initial_only',
  'no_data',
  'always',
  'when_needed',
  'configuration_based',
  'custom',
]
/** Names that went away, and what stands in their place. */
const RENAMED_SNAPSHOTS: Readonly<Record<string, string>> = {
  never: 'no_data',
  schema_only: 'no_data',
  exported: 'initial',
}

/** What is missing, cannot be or contradicts itself, each with its cure. */
export function debeziumFaults(options: DebeziumOptions): readonly string[] {
  return [
    ...commonFaults(options),
    ...(options.kind === 'mongodb' ? mongoFaults(options) : postgresFaults(options)),
  ]
}

function* commonFaults(options: DebeziumOptions): Generator<string> {
  const {
    connectorName,
    topicPrefix = connectorName,
    snapshotMode,
    maxBatchSize,
    maxQueueSize,
    config = {},
  } = options
  if (connectorName.trim() === '') yield 'it has no name: give `connectorName`'
  if (!/^[A-Za-z0-9._-]+$/.test(topicPrefix)) {
    yield `${JSON.stringify(topicPrefix)} cannot begin a topic: use letters, digits, ".", "_" and "-" in \`topicPrefix\``
  }
  const known = options.kind === 'mongodb' ? MONGO_SNAPSHOTS : POSTGRES_SNAPSHOTS
  if (snapshotMode !== undefined && !known.includes(snapshotMode)) {
    const renamed = RENAMED_SNAPSHOTS[snapshotMode]
    yield `there is no \`snapshotMode\` ${snapshotMode}: ${renamed === undefined ? `choose one of ${known.join(', ')}` : `it is called ${renamed} now`}`
  }
  if (maxBatchSize !== undefined && maxQueueSize !== undefined && maxQueueSize <= maxBatchSize) {
    yield `\`maxQueueSize\` ${maxQueueSize} must be above \`maxBatchSize\` ${maxBatchSize}`
  }
  if (options.unwrap === true && config['transforms'] !== undefined) {
    yield '`unwrap` and `transforms` of `config` both name the transformations: leave one of them out'
  }
}

function* postgresFaults(options: PostgresConnectorOptions): Generator<string> {
  const {
    tableIncludeList,
    columns = new Map(),
    heartbeatTable = DEFAULT_POSTGRES.heartbeat,
    slotName = 'x',
    publicationName = 'x',
  } = options
  for (const key of ['databaseHostname', 'databaseUser', 'databaseName'] as const) {
    if (options[key].trim() === '') yield `\`${key}\` is empty`
  }
  if (String(options.databasePassword) === '')
    yield '`databasePassword` is empty: give a reference such as ${env:CDC_PASSWORD}'
  const { databasePort = 5432 } = options
  if (!Number.isInteger(databasePort) || databasePort < 1 || databasePort > 65535)
    yield `\`databasePort\` ${databasePort} is no port`
  if (!/^[a-z0-9_]{1,63}$/.test(slotName)) {
    yield `\`slotName\` ${JSON.stringify(slotName)}: Postgres takes lower-case letters, digits and "_", at most 63 of them`
  }
  if (!/^[a-z0-9_]{1,63}$/.test(publicationName)) {
    yield `\`publicationName\` ${JSON.stringify(publicationName)}: use lower-case letters, digits and "_", at most 63 of them`
  }
  if (tableIncludeList?.length === 0)
    yield '`tableIncludeList` is empty: name tables, or leave it out for all'
  const bare = (tableIncludeList ?? []).filter((table) => !/^[^.]+\../.test(table))
  if (bare.length > 0) yield `name tables as schema.table: ${bare.join(', ')}`
  const twice = (tableIncludeList ?? []).filter((table, i, all) => all.indexOf(table) !== i)
  if (twice.length > 0) yield `\`tableIncludeList\` names a table twice: ${twice.join(', ')}`
  const strangers = [...columns.keys()].filter((table) => tableIncludeList?.includes(table) !== true)
  if (strangers.length > 0) yield `\`columns\` names tables that are not captured: ${strangers.join(', ')}`
  if (heartbeatTable !== null && tableIncludeList?.includes(heartbeatTable) === true) {
    yield `${heartbeatTable} is the heartbeat, and would become a table of the lake: leave it out of \`tableIncludeList\``
  }
}

function* mongoFaults({ connectionString, collectionIncludeList }: MongoConnectorOptions): Generator<string> {
  if (String(connectionString) === '')
    yield '`connectionString` is empty: give a reference such as ${env:MONGODB_CONNECTION_STRING}'
  const bare = (collectionIncludeList ?? []).filter((collection) => !/^[^.]+\../.test(collection))
  if (bare.length > 0) yield `name collections as database.collection: ${bare.join(', ')}`
}
