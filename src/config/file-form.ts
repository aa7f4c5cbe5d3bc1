import type { Config, PipelineConfig, SourceConfig, TableConfig } from './config.ts'
import type { KafkaSasl, KafkaSecret } from './kafka-settings.ts'
import type { CaptureSettings, ConnectorSettings, Upstream } from './upstream.ts'

/** A configuration as the file would say it, every default written out; secrets show as `[redacted]`. */
export function toFileForm(config: Config): Record<string, unknown> {
  const { listen, metricsToken } = config.http
  const { host, port } = listen
  return {
    profile: config.profile,
    lake: config.lake.location,
    store: config.store,
    pipelines: Object.fromEntries(
      config.pipelines.map((pipeline) => [
        pipeline.name,
        { ...pipelineForm(pipeline), ...upstreamForm(config.upstreams.get(pipeline.name)) },
      ]),
    ),
    dq: {
      ...(config.dq.source === undefined ? {} : { source: String(config.dq.source) }),
      schedule: config.dq.schedule,
    },
    locator: config.locator,
    http: {
      listen: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      ...(metricsToken === undefined ? {} : { metricsToken: String(metricsToken) }),
    },
  }
}

function pipelineForm(pipeline: PipelineConfig): Record<string, unknown> {
  const { source, batch, workers, graceMs, tablePath, tableDefaults, tables } = pipeline
  const named = [...tables.values()].map((table) => [table.name, tableForm(table)])
  return {
    source: sourceForm(source),
    batch: { rows: batch.rows, bytes: batch.bytes, age: `${batch.ageMs}ms` },
    workers,
    grace: `${graceMs}ms`,
    tablePath,
    tables: { ...Object.fromEntries(named), '*': tableForm(tableDefaults) },
  }
}

function upstreamForm(upstream: Upstream | undefined): Record<string, unknown> {
  if (upstream === undefined) return {}
  return { postgres: postgresForm(upstream.postgres), connector: connectorForm(upstream.connector) }
}

function postgresForm({ connection, columns, walDisk, ...rest }: CaptureSettings): unknown {
  return {
    ...(connection === null ? {} : { connection: String(connection) }),
    ...rest,
    columns: Object.fromEntries(columns),
    ...(walDisk === null ? {} : { walDisk }),
  }
}

function connectorForm({ urls, login, config, ...rest }: ConnectorSettings): unknown {
  return {
    ...(urls.length === 0 ? {} : { url: urls }),
    ...(login === null ? {} : { username: login.username, password: String(login.password) }),
    ...rest,
    config: Object.fromEntries(Object.entries(config).map(([name, value]) => [name, String(value)])),
  }
}

function sourceForm(source: SourceConfig): unknown {
  if (source.kind === 'files') return { files: source.directory }
  const { kind: _, ssl, sasl, fetch, sessionTimeoutMs, topicsAgeMs, ...kafka } = source
  return {
    kafka: {
      ...kafka,
      ...(ssl === null ? {} : { ssl }),
      ...(sasl === null ? {} : { sasl: saslForm(sasl) }),
      fetch: {
        minBytes: fetch.minBytes,
        maxWait: `${fetch.maxWaitMs}ms`,
        maxPartitionBytes: fetch.maxPartitionBytes,
      },
      sessionTimeout: `${sessionTimeoutMs}ms`,
      topicsAge: `${topicsAgeMs}ms`,
    },
  }
}

function saslForm(sasl: KafkaSasl): Record<string, unknown> {
  const { mechanism } = sasl
  if (mechanism !== 'oauthbearer') {
    return { mechanism, username: sasl.username, ...secretForm('password', sasl.password) }
  }
  if (!('url' in sasl.token)) return { mechanism, ...secretForm('token', sasl.token) }
  const { clientSecret, ...endpoint } = sasl.token
  return { mechanism, tokenEndpoint: { ...endpoint, ...secretForm('clientSecret', clientSecret) } }
}

function secretForm(name: string, secret: KafkaSecret): Record<string, string> {
  return 'file' in secret ? { [`${name}File`]: secret.file } : { [name]: String(secret) }
}

function tableForm({ name: _, ...settings }: TableConfig): unknown {
  return settings
}
