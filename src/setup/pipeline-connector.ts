import type { PipelineConfig } from '../config/config.ts'
import type { Secret } from '../config/secret.ts'
import type { CaptureSettings, ConnectorSettings, Upstream } from '../config/upstream.ts'
import { postgresTarget } from '../postgres/postgres-settings.ts'
import { DebeziumConfigBuilder, type DebeziumOptions } from './debezium-config.ts'
import type { RedpandaOptions } from './redpanda-config.ts'

/** The connector that a pipeline's configuration asks for. @param keylessTables as far as they are known */
export function debeziumBuilder(
  { postgres, connector }: Upstream,
  connection: Secret,
  keylessTables: readonly string[],
): DebeziumConfigBuilder {
  const common = {
    connectorName: connector.name,
    topicPrefix: connector.topicPrefix,
    unwrap: connector.unwrap,
    partitions: connector.partitions,
    replication: connector.replication,
    config: connector.config as Readonly<Record<string, string | Secret>>,
  }
  return new DebeziumConfigBuilder(
    connector.kind === 'mongodb'
      ? { ...common, ...mongoOptions(connector) }
      : { ...common, ...postgresOptions(postgres, connector, connection), keylessTables },
  )
}

function postgresOptions(postgres: CaptureSettings, connector: ConnectorSettings, connection: Secret) {
  const { host, port, database } = postgresTarget({ connectionString: connection })
  const sslMode = new URL(connection.reveal()).searchParams.get('sslmode')
  const { tables, exclude, columns } = postgres
  return {
    kind: 'postgres',
    databaseHostname: host,
    databasePort: port,
    databaseUser: postgres.role,
    databasePassword: secretReference(connector, `${postgres.role.toUpperCase()}_PASSWORD`),
    databaseName: database,
    ...(sslMode === null ? {} : { sslMode }),
    ...(tables === '*' ? {} : { tableIncludeList: tables }),
    tableExcludeList: exclude,
    columns,
    slotName: postgres.slot,
    publicationName: postgres.publication,
    heartbeatTable: postgres.heartbeat,
  } satisfies Partial<DebeziumOptions>
}

function mongoOptions(connector: ConnectorSettings) {
  return {
    kind: 'mongodb',
    connectionString: secretReference(connector, 'MONGODB_CONNECTION_STRING'),
    ...(connector.collections.length === 0 ? {} : { collectionIncludeList: connector.collections }),
  } satisfies Partial<DebeziumOptions>
}

/** By which Connect looks a secret up itself. */
function secretReference({ secrets }: ConnectorSettings, key: string): string {
  return `\${${secrets}:${key}}`
}

/** Where Redpanda Connect puts what it reads. */
export function redpandaOptions(
  { source, tables }: PipelineConfig,
  { tables: captured }: CaptureSettings,
): RedpandaOptions {
  const keys = (captured === '*' ? [] : captured).flatMap((name) => {
    const key = tables.get(name)?.key
    return key === undefined ? [] : [[name, key] as const]
  })
  return source.kind === 'kafka'
    ? { brokers: source.brokers, topic: source.topics[0]!, keys: new Map(keys) }
    : {
        brokers: ['${POSTGRES_CDC_BROKER_ADDRESS:redpanda:9092}'],
        topic: '${POSTGRES_CDC_TOPIC:cdc_events}',
        keys: new Map(keys),
      }
}
