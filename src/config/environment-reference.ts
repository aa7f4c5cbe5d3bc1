/** A variable that alluvium reads, for the reference. */
export interface EnvironmentName {
  readonly name: string
  readonly about: string
  /** What holds without it; empty when nothing does. */
  readonly fallback: string
}

/** Every variable that is read by a name of its own; any other may be put into the file as `${NAME}`. */
export const ENVIRONMENT_NAMES: readonly EnvironmentName[] = [
  { name: 'POSTGRES_CONNECTION_STRING', about: 'URL of the source database', fallback: '`dq.source`' },
  { name: 'POSTGRES_CDC_DSN', about: 'the same', fallback: '' },
  { name: 'PGHOST, PG_HOST', about: 'its host, when no URL is given', fallback: '`localhost`' },
  { name: 'PGPORT, PG_PORT', about: 'its port', fallback: '`5432`' },
  { name: 'PGUSER, PG_USER', about: 'its user', fallback: '`postgres`' },
  { name: 'PGPASSWORD, PG_PASSWORD', about: 'the password of the user', fallback: 'none' },
  { name: 'PGDATABASE, PG_DATABASE', about: 'the database', fallback: '`postgres`' },
  { name: 'POSTGRES_CDC_PUBLICATION', about: 'name of the publication', fallback: '`postgres.publication`' },
  { name: 'POSTGRES_CDC_SLOT', about: 'name of the replication slot', fallback: '`postgres.slot`' },
  { name: 'POSTGRES_CDC_SCHEMA', about: 'schema of tables named without one', fallback: '`postgres.schema`' },
  {
    name: 'POSTGRES_CDC_TABLES',
    about: 'tables to capture, with commas, or `*`',
    fallback: '`postgres.tables`',
  },
  { name: 'POSTGRES_CDC_TABLES_JSON', about: 'the same as a JSON array', fallback: '' },
  { name: 'POSTGRES_CDC_WAIT_FOR_TABLE', about: '`setup postgres` waits for this table', fallback: 'none' },
  { name: 'POSTGRES_CDC_BROKER_ADDRESS', about: 'brokers, with commas', fallback: '`source.kafka.brokers`' },
  {
    name: 'EVENTHUB_NAMESPACE',
    about: 'Event Hubs: the broker is `NAME.servicebus.windows.net:9093`',
    fallback: '',
  },
  { name: 'POSTGRES_CDC_TOPIC', about: 'topics, with commas', fallback: '`source.kafka.topics`' },
  {
    name: 'POSTGRES_CDC_HTTP_ADDR',
    about: 'address of the HTTP pages, `host:port`',
    fallback: '`http.listen`',
  },
  { name: 'POSTGRES_CDC_HTTP_PORT', about: 'only their port', fallback: '' },
  { name: 'MONGODB_CONNECTION_STRING', about: 'named in the connector of MongoDB, never read', fallback: '' },
  { name: 'PGSYNC_BATCH_SIZE', about: 'rows of a batch', fallback: '`batch.rows`' },
  { name: 'PGSYNC_FLUSH_INTERVAL', about: 'age of a batch: a duration, or seconds', fallback: '`batch.age`' },
  {
    name: 'LOG_LEVEL, PGSYNC_LOG_LEVEL',
    about: 'trace, debug, info, warn, error or silent',
    fallback: '`warn`',
  },
]
