import { EngineError } from '../../core/errors.ts'
import type { BatchBounds, Config, DqSettings, PipelineConfig, SourceConfig } from './config.ts'
import { type ListenAddress, parseListenAddress } from './config-schema.ts'
import { type Environment, hasControlCharacter } from './environment.ts'
import { parseDuration } from './quantity.ts'
import { splitList } from './schema-forms.ts'
import { Secret } from './secret.ts'
import type { Upstream } from './upstream.ts'
import { withUpstreamVariables } from './upstream-variables.ts'

/**
 * Lays the variables over the file that deployments of this kind already use; `ENVIRONMENT_NAMES` lists them.
 *
 * @throws EngineError `E_CONFIG` naming the variable whose value cannot be used
 */
export function applyEnvironment(config: Config, environment: Environment): Config {
  const read: Environment = (name) => readVariable(environment, name)
  const dq = withDatabaseVariables(config.dq, read)
  const isOnly = config.upstreams.size === 1
  return {
    ...config,
    pipelines: config.pipelines.map((pipeline) => withPipelineVariables(pipeline, read)),
    upstreams: new Map(
      [...config.upstreams].map(([name, upstream]) => [
        name,
        withConnection(withUpstreamVariables(upstream, read), dq, isOnly ? namedConnection(read) : null),
      ]),
    ),
    dq,
    http: { ...config.http, listen: withListenVariables(config.http.listen, read) },
  }
}

/** A variable stands above the file where it can be meant: with several databases it fills only what is not said. */
function withConnection({ postgres, connector }: Upstream, dq: DqSettings, named: Secret | null): Upstream {
  const connection = named ?? postgres.connection ?? dq.source ?? null
  return { connector, postgres: { ...postgres, connection } }
}

function readVariable(environment: Environment, name: string): string | undefined {
  const value = environment(name)
  if (value === undefined || value === '') return undefined
  if (hasControlCharacter(value)) throw unfit(name, 'holds a line break or a NUL')
  return value
}

function withPipelineVariables(pipeline: PipelineConfig, read: Environment): PipelineConfig {
  return {
    ...pipeline,
    batch: withBatchVariables(pipeline.batch, read),
    source: withSourceVariables(pipeline.source, read),
  }
}

function withBatchVariables(batch: BatchBounds, read: Environment): BatchBounds {
  const size = read('PGSYNC_BATCH_SIZE')
  const interval = read('PGSYNC_FLUSH_INTERVAL')
  return {
    ...batch,
    rows: size === undefined ? batch.rows : parseRows(size),
    ageMs: interval === undefined ? batch.ageMs : parseInterval(interval),
  }
}

function parseRows(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text)
  throw unfit('PGSYNC_BATCH_SIZE', 'must be a whole number above 0')
}

function parseInterval(text: string): number {
  const ms = parseDuration(/^[\d.]+$/.test(text) ? `${text}s` : text)
  if (ms === null) throw unfit('PGSYNC_FLUSH_INTERVAL', 'must be a duration such as 500ms, or seconds')
  return ms
}

function withSourceVariables(source: SourceConfig, read: Environment): SourceConfig {
  if (source.kind !== 'kafka') return source
  const namespace = read('EVENTHUB_NAMESPACE')
  const eventHub =
    namespace === undefined
      ? undefined
      : `${namespace.replace(/\.servicebus\.windows\.net$/, '')}.servicebus.windows.net:9093`
  const brokers = read('POSTGRES_CDC_BROKER_ADDRESS') ?? eventHub
  const topics = read('POSTGRES_CDC_TOPIC')
  return {
    ...source,
    brokers: brokers === undefined ? source.brokers : (splitList(brokers) as string[]),
    topics: topics === undefined ? source.topics : (splitList(topics) as string[]),
  }
}

function withListenVariables(listen: ListenAddress, read: Environment): ListenAddress {
  const address = read('POSTGRES_CDC_HTTP_ADDR')
  const port = read('POSTGRES_CDC_HTTP_PORT')
  const base = address === undefined ? listen : parseListenAddress(address)
  if (base === null) throw unfit('POSTGRES_CDC_HTTP_ADDR', 'must be host:port, its port at most 65535')
  if (port === undefined || address !== undefined) return base
  const parsed = parseListenAddress(port)
  if (parsed === null || !/^\d+$/.test(port))
    throw unfit('POSTGRES_CDC_HTTP_PORT', 'must be a port, at most 65535')
  return { host: base.host, port: parsed.port }
}

function withDatabaseVariables(dq: DqSettings, read: Environment): DqSettings {
  const source = namedConnection(read) ?? dq.source ?? assembledConnection(read)
  return source === null ? dq : { ...dq, source }
}

function namedConnection(read: Environment): Secret | null {
  const given = read('POSTGRES_CONNECTION_STRING') ?? read('POSTGRES_CDC_DSN')
  return given === undefined ? null : new Secret(given)
}

/** @returns `null` when no host is named: the other variables alone do not ask for a connection */
function assembledConnection(read: Environment): Secret | null {
  const isNamed = (read('PGHOST') ?? read('PG_HOST')) !== undefined
  return isNamed ? defaultConnection(read) : null
}

/** The database that `PGHOST` and its companions name, as Postgres's own tools take them. */
export function defaultConnection(environment: Environment): Secret {
  const part = (name: string) =>
    readVariable(environment, `PG${name}`) ?? readVariable(environment, `PG_${name}`)
  const password = part('PASSWORD')
  const user = encodeURIComponent(part('USER') ?? 'postgres')
  const login = password === undefined ? user : `${user}:${encodeURIComponent(password)}`
  const host = part('HOST') ?? 'localhost'
  return new Secret(
    `postgresql://${login}@${host}:${part('PORT') ?? '5432'}/${encodeURIComponent(part('DATABASE') ?? 'postgres')}`,
  )
}

function unfit(name: string, fault: string): EngineError {
  return new EngineError('E_CONFIG', 'stop', `the variable ${name} ${fault}`)
}
