import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'

const READY_MS_MAX = 60_000

export interface ConnectorOptions {
  readonly connectUrl: string
  readonly postgresPort: string
  /** First part of every topic's name; its slot and publication are called so too. */
  readonly prefix: string
  /** Default: the one that the superuser has. */
  readonly databaseName?: string
  /** Default: rows that are there before the stream are told first. */
  readonly snapshotMode?: 'initial' | 'no_data'
}

/** What our guide tells people to set: nulls stay nulls, every operation is told, the slot moves while tables rest. */
function connectorConfig({
  postgresPort,
  prefix,
  databaseName = 'postgres',
  snapshotMode = 'initial',
}: ConnectorOptions): Readonly<Record<string, string>> {
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    'plugin.name': 'pgoutput',
    'database.hostname': '127.0.0.1',
    'database.port': postgresPort,
    'database.user': 'postgres',
    'database.password': 'postgres',
    'database.dbname': databaseName,
    'topic.prefix': prefix,
    'slot.name': prefix,
    'publication.name': prefix,
    'publication.autocreate.mode': 'filtered',
    'publish.via.partition.root': 'true',
    'schema.include.list': 'shop,ops',
    'snapshot.mode': snapshotMode,
    'skipped.operations': 'none',
    'poll.interval.ms': '50',
    'heartbeat.interval.ms': '500',
    'heartbeat.action.query': 'update ops.heartbeat set beats = beats + 1',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'true',
    'value.converter.replace.null.with.default': 'false',
    'topic.creation.default.replication.factor': '1',
    'topic.creation.default.partitions': '3',
    // Records without a key go to any partition: only one partition keeps them in order.
    'topic.creation.groups': 'keyless',
    'topic.creation.keyless.include': `${prefix}\\.shop\\.audit`,
    'topic.creation.keyless.replication.factor': '1',
    'topic.creation.keyless.partitions': '1',
  }
}

/** Registers the connector and waits until its snapshot is over and its slot is read. */
export async function startConnector(options: ConnectorOptions, database: pg.Pool): Promise<void> {
  const response = await fetch(`${options.connectUrl}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: options.prefix, config: connectorConfig(options) }),
  })
  if (response.status !== 201) throw new Error(`Connect refuses the connector: ${await response.text()}`)
  await until('the connector streams', async () => {
    const { rows } = await database.query(
      'select active from pg_replication_slots where slot_name = $1 and confirmed_flush_lsn is not null',
      [options.prefix],
    )
    return rows[0]?.active === true
  })
}

/** Waits until whatever has been committed is in Kafka: the connector lets Postgres forget nothing that is not. */
export async function awaitConnector({ prefix }: ConnectorOptions, database: pg.Pool): Promise<void> {
  const { rows } = await database.query('select pg_current_wal_lsn() as lsn')
  await until('everything is in Kafka', async () => {
    const reached = await database.query(
      'select confirmed_flush_lsn >= $2 as all from pg_replication_slots where slot_name = $1',
      [prefix, rows[0].lsn],
    )
    return reached.rows[0]?.all === true
  })
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + READY_MS_MAX
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${READY_MS_MAX / 1000} s: ${what}`)
    await pause(100)
  }
}
