import { EngineError } from '../../core/errors.ts'
import { parseTableName, quoteTable } from '../../schemas/postgres-name.ts'
import { type ConnectorProperties, connectorProperty, revealed } from '../config/connector-property.ts'
import type { Secret } from '../config/secret.ts'
import { DEFAULT_CONNECT, DEFAULT_POSTGRES } from '../config/upstream.ts'
import { debeziumFaults } from './debezium-faults.ts'

/** What any Debezium connector is told. All sizes are counts of records. */
interface CommonOptions {
  readonly connectorName: string
  /** First part of every topic's name; default: the connector's name. */
  readonly topicPrefix?: string
  /** Debezium's `snapshot.mode`; default `initial`. */
  readonly snapshotMode?: string
  readonly snapshotFetchSize?: number
  readonly maxBatchSize?: number
  readonly maxQueueSize?: number
  /** Flatten events, with the fields that a reader needs; default: whole envelopes. */
  readonly unwrap?: boolean
  /** Of topics that Connect creates; default 3. */
  readonly partitions?: number
  /** Of topics that Connect creates; default 1. */
  readonly replication?: number
  /** Further properties; they stand above all others. */
  readonly config?: Readonly<Record<string, string | Secret>>
}

export interface PostgresConnectorOptions extends CommonOptions {
  readonly kind?: 'postgres'
  readonly databaseHostname: string
  readonly databasePort?: number
  readonly databaseUser: string
  /** Better a reference that Connect looks up, `${env:NAME}`: its REST interface shows configurations in clear. */
  readonly databasePassword: string | Secret
  readonly databaseName: string
  /** `sslmode` of the connection. */
  readonly sslMode?: string
  /** Each `schema.table`, as it is and not as a pattern; without it all tables. */
  readonly tableIncludeList?: readonly string[]
  /** Tables never captured, `table` or `schema.table`; default: those of migration tools. */
  readonly tableExcludeList?: readonly string[]
  /** Columns by table, where the publication has lists of them. */
  readonly columns?: ReadonlyMap<string, readonly string[]>
  /** Tables without a key: their topics get one partition, as only that keeps them in order. */
  readonly keylessTables?: readonly string[]
  readonly slotName?: string
  readonly publicationName?: string
  /** Table of one row that the connector keeps moving, `schema.table`; `null`: none. */
  readonly heartbeatTable?: string | null
}

export interface MongoConnectorOptions extends CommonOptions {
  readonly kind: 'mongodb'
  /** Better a reference that Connect looks up, `${env:NAME}`. */
  readonly connectionString: string | Secret
  /** Each `database.collection`, as it is and not as a pattern. */
  readonly collectionIncludeList?: readonly string[]
  /** Events carry the document as it was before (the collections must keep pre-images). */
  readonly preImages?: boolean
}

export type DebeziumOptions = PostgresConnectorOptions | MongoConnectorOptions

/** A connector as Kafka Connect takes it. */
export interface ConnectorConfig {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
}

/** How often a connector that has nothing to tell says that it lives, and moves its slot. */
const HEARTBEAT_MS = 10_000

/** What a reader needs of an event that has lost its envelope. */
const UNWRAPPED_FIELDS = 'op,db,schema,table,lsn,txId,source.ts_us,source.snapshot,source.sequence'

/**
 * The configuration of a Debezium connector whose topics alluvium reads exactly: whole envelopes with their schemas,
 * nulls that stay nulls, every operation, tombstones, and a slot that moves while tables rest.
 *
 * @example
 * const builder = new DebeziumConfigBuilder({
 *   connectorName: 'postgres-connector',
 *   databaseHostname: 'localhost',
 *   databaseUser: 'cdcuser',
 *   databasePassword: '${env:CDC_PASSWORD}',
 *   databaseName: 'cdcdb',
 *   tableIncludeList: ['public.customers', 'public.orders'],
 * })
 * const { name, config } = builder.build()
 */
export class DebeziumConfigBuilder {
  readonly #options: DebeziumOptions

  constructor(options: DebeziumOptions) {
    this.#options = options
  }

  /** What is missing, cannot be or contradicts itself, each with its cure; empty when all is well. */
  validate(): readonly string[] {
    return debeziumFaults(this.#options)
  }

  /**
   * @returns what `PUT /connectors/NAME/config` takes; a password that was given in clear stands in it in clear
   * @throws EngineError `E_CONNECTOR` (usage) naming every fault
   */
  build(): ConnectorConfig {
    return { name: this.#options.connectorName, config: revealed(this.properties()) }
  }

  /** The same as JSON text. */
  toJson(): string {
    return JSON.stringify(this.build(), null, 2)
  }

  /** The same with secrets kept hidden, for those who print it. */
  properties(): ConnectorProperties {
    const faults = this.validate()
    if (faults.length > 0) {
      throw new EngineError('E_CONNECTOR', 'usage', `this cannot be a connector: ${faults.join('; ')}`)
    }
    const options = this.#options
    const own = options.kind === 'mongodb' ? mongoProperties(options) : postgresProperties(options)
    return { ...own, ...commonProperties(options), ...options.config }
  }
}

function postgresProperties(options: PostgresConnectorOptions): ConnectorProperties {
  const { databasePassword, sslMode, tableIncludeList, columns = new Map(), keylessTables = [] } = options
  const heartbeat = options.heartbeatTable === undefined ? DEFAULT_POSTGRES.heartbeat : options.heartbeatTable
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'plugin.name': 'pgoutput',
    'database.hostname': options.databaseHostname,
    'database.port': String(options.databasePort ?? 5432),
    'database.user': options.databaseUser,
    'database.password':
      typeof databasePassword === 'string'
        ? connectorProperty('password', databasePassword)
        : databasePassword,
    'database.dbname': options.databaseName,
    ...(sslMode === undefined ? {} : { 'database.sslmode': sslMode }),
    'slot.name': options.slotName ?? DEFAULT_POSTGRES.slot,
    'slot.drop.on.stop': 'false',
    'publication.name': options.publicationName ?? DEFAULT_POSTGRES.publication,
    // Made by `setup postgres`: who reads a table needs not own it.
    'publication.autocreate.mode': 'disabled',
    'publish.via.partition.root': 'true',
    ...tableLists(tableIncludeList, options.tableExcludeList ?? DEFAULT_POSTGRES.exclude, heartbeat),
    ...columnList(tableIncludeList ?? [], columns),
    'snapshot.mode': options.snapshotMode ?? 'initial',
    ...(heartbeat === null
      ? {}
      : { 'heartbeat.action.query': `UPDATE ${quoteTable(parseTableName(heartbeat))} SET beat_at = now()` }),
    ...keylessTopics(options.topicPrefix ?? options.connectorName, keylessTables, options.replication),
  }
}

function mongoProperties({
  connectionString,
  collectionIncludeList,
  preImages,
  snapshotMode,
}: MongoConnectorOptions): ConnectorProperties {
  return {
    'connector.class': 'io.debezium.connector.mongodb.MongoDbConnector',
    'mongodb.connection.string':
      typeof connectionString === 'string'
        ? connectorProperty('connection.string', connectionString)
        : connectionString,
    ...(collectionIncludeList === undefined
      ? {}
      : { 'collection.include.list': patternList(collectionIncludeList) }),
    'capture.mode':
      preImages === true ? 'change_streams_update_full_with_pre_image' : 'change_streams_update_full',
    'snapshot.mode': snapshotMode ?? 'initial',
  }
}

function commonProperties(options: DebeziumOptions): ConnectorProperties {
  const { snapshotFetchSize, maxBatchSize, maxQueueSize } = options
  return {
    'tasks.max': '1',
    'topic.prefix': options.topicPrefix ?? options.connectorName,
    'skipped.operations': 'none',
    'tombstones.on.delete': 'true',
    'heartbeat.interval.ms': String(HEARTBEAT_MS),
    ...(snapshotFetchSize === undefined ? {} : { 'snapshot.fetch.size': String(snapshotFetchSize) }),
    ...(maxBatchSize === undefined ? {} : { 'max.batch.size': String(maxBatchSize) }),
    ...(maxQueueSize === undefined ? {} : { 'max.queue.size': String(maxQueueSize) }),
    ...converter('key'),
    ...converter('value'),
    'topic.creation.default.partitions': String(options.partitions ?? DEFAULT_CONNECT.partitions),
    'topic.creation.default.replication.factor': String(options.replication ?? DEFAULT_CONNECT.replication),
    ...(options.unwrap === true ? unwrapping(options) : {}),
  }
}

/** Schemas give types; without the last word a null becomes the column's default on its way. */
function converter(part: 'key' | 'value'): ConnectorProperties {
  return {
    [`${part}.converter`]: 'org.apache.kafka.connect.json.JsonConverter',
    [`${part}.converter.schemas.enable`]: 'true',
    [`${part}.converter.replace.null.with.default`]: 'false',
  }
}

function unwrapping({ kind }: DebeziumOptions): ConnectorProperties {
  const isMongo = kind === 'mongodb'
  const room = isMongo
    ? 'io.debezium.connector.mongodb.transforms.ExtractNewDocumentState'
    : 'io.debezium.transforms.ExtractNewRecordState'
  return {
    transforms: 'unwrap',
    'transforms.unwrap.type': room,
    'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone',
    'transforms.unwrap.add.fields': isMongo ? 'op,db,collection,source.ts_ms,source.ord' : UNWRAPPED_FIELDS,
  }
}

/** The heartbeat's own changes move the slot without becoming records. */
function tableLists(
  include: readonly string[] | undefined,
  exclude: readonly string[],
  heartbeat: string | null,
): ConnectorProperties {
  if (include !== undefined) return { 'table.include.list': patternList(include) }
  const patterns = exclude.map((table) =>
    table.includes('.') ? pattern(table) : `[^.]+\\.${pattern(table)}`,
  )
  return {
    'table.exclude.list': [...patterns, ...(heartbeat === null ? [] : [pattern(heartbeat)])].join(','),
  }
}

/** What the publication does not send must not be asked for by the snapshot either. */
function columnList(
  tables: readonly string[],
  columns: ReadonlyMap<string, readonly string[]>,
): ConnectorProperties {
  if (columns.size === 0) return {}
  const patterns = tables.map((table) => {
    const listed = columns.get(table)
    return listed === undefined
      ? `${pattern(table)}\\..*`
      : `${pattern(table)}\\.(${listed.map(pattern).join('|')})`
  })
  return { 'column.include.list': patterns.join(',') }
}

function keylessTopics(
  prefix: string,
  tables: readonly string[],
  replication: number = DEFAULT_CONNECT.replication,
): ConnectorProperties {
  if (tables.length === 0) return {}
  return {
    'topic.creation.groups': 'keyless',
    'topic.creation.keyless.include': patternList(tables.map((table) => `${prefix}.${table}`)),
    'topic.creation.keyless.partitions': '1',
    'topic.creation.keyless.replication.factor': String(replication),
  }
}

function patternList(names: readonly string[]): string {
  return names.map(pattern).join(',')
}

/** A name as a regular expression that matches it alone, in a list with commas. */
function pattern(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\,]/g, '\\$&')
}
