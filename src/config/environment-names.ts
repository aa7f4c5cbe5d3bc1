import { EngineError } from '../../core/errors.ts'
import type { BatchBounds, Config, DqSettings, PipelineConfig, SourceConfig } from './config.ts'
import { type ListenAddress, parseListenAddress, splitList } from './config-schema.ts'
import { type Environment, hasControlCharacter } from './environment.ts'
import { parseDuration } from './quantity.ts'
import { Secret } from './secret.ts'

/**
 * Variables that stand above the file, by the names that deployments of this kind already use:
 *
 * - `PGSYNC_BATCH_SIZE` rows and `PGSYNC_FLUSH_INTERVAL` (a duration, or seconds) of a batch
 * - `POSTGRES_CDC_BROKER_ADDRESS` (with commas) or `EVENTHUB_NAMESPACE`, and `POSTGRES_CDC_TOPIC`, of a Kafka source
 * - `POSTGRES_CDC_HTTP_ADDR`, or only its port `POSTGRES_CDC_HTTP_PORT`
 * - `POSTGRES_CONNECTION_STRING` or `POSTGRES_CDC_DSN` of the source database; when nothing else names it, it is put
 *   together from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` or the same with `PG_`
 *
 * @throws EngineError `E_CONFIG` naming the variable whose value cannot be used
 */
export function applyEnvironment(config: Config, environment: Environment): Config {
  const read: Environment = (name) => readVariable(environment, name)
  return {
    ...config,
    pipelines: config.pipelines.map((pipeline) => withPipelineVariables(pipeline, read)),
    dq: withDatabaseVariables(config.dq, read),
    http: { listen: withListenVariables(config.http.listen, read) },
  }
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
  const given = read('POSTGRES_CONNECTION_STRING') ?? read('POSTGRES_CDC_DSN')
  if (given !== undefined) return { ...dq, source: new Secret(given) }
  if (dq.source !== undefined) return dq
  const assembled = assembleUrl(read)
  return assembled === null ? dq : { ...dq, source: new Secret(assembled) }
}

/** @returns `null` when no host is named: the other variables alone do not ask for a connection */
function assembleUrl(read: Environment): string | null {
  const part = (name: string) => read(`PG${name}`) ?? read(`PG_${name}`)
  const host = part('HOST')
  if (host === undefined) return null
  const password = part('PASSWORD')
  const user = encodeURIComponent(part('USER') ?? 'postgres')
  const login = password === undefined ? user : `${user}:${encodeURIComponent(password)}`
  return `postgresql://${login}@${host}:${part('PORT') ?? '5432'}/${encodeURIComponent(part('DATABASE') ?? 'postgres')}`
}

function unfit(name: string, fault: string): EngineError {
  return new EngineError('E_CONFIG', 'stop', `the variable ${name} ${fault}`)
}
