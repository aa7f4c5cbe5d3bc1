import type { PipelineConfig } from './config.ts'
import type { PipelineSettings } from './config-schema.ts'
import { connectorProperty } from './connector-property.ts'
import {
  type CaptureSettings,
  type ConnectorSettings,
  DEFAULT_CONNECT,
  DEFAULT_POSTGRES,
  type Upstream,
} from './upstream.ts'

type PipelineShape = Pick<PipelineConfig, 'name' | 'source' | 'tables'>

/** What holds for a pipeline whose configuration says nothing of what stands before it. */
export function defaultUpstream(pipeline: PipelineShape): Upstream {
  return upstreamOf({}, pipeline)
}

/** What the file says, with every default filled in. */
export function upstreamOf(
  { postgres, connector }: Pick<PipelineSettings, 'postgres' | 'connector'>,
  pipeline: PipelineShape,
): Upstream {
  return { postgres: postgresOf(postgres ?? {}, pipeline), connector: connectorOf(connector ?? {}, pipeline) }
}

function postgresOf(
  given: NonNullable<PipelineSettings['postgres']>,
  pipeline: PipelineShape,
): CaptureSettings {
  const { connection, tables, columns, walDisk, ...rest } = given
  const settings = { ...DEFAULT_POSTGRES, ...rest }
  return {
    ...settings,
    exclude: settings.exclude as readonly string[],
    connection: connection ?? null,
    tables: tables === undefined ? [...pipeline.tables.keys()] : qualified(tables, settings.schema),
    columns: new Map(Object.entries(columns ?? {}) as [string, readonly string[]][]),
    walDisk: walDisk ?? null,
  }
}

/** Names without a schema get one. */
export function qualified(tables: readonly string[] | '*', schema: string): readonly string[] | '*' {
  return tables === '*' ? '*' : tables.map((table) => (table.includes('.') ? table : `${schema}.${table}`))
}

function connectorOf(
  given: NonNullable<PipelineSettings['connector']>,
  pipeline: PipelineShape,
): ConnectorSettings {
  const { url, username, password, name, topicPrefix, collections, config, unwrap, ...rest } = given
  return {
    ...DEFAULT_CONNECT,
    ...rest,
    urls: (url ?? []) as readonly string[],
    login: username === undefined || password === undefined ? null : { username, password },
    name: name ?? pipeline.name,
    topicPrefix: topicPrefix ?? prefixOf(pipeline),
    unwrap: unwrap ?? false,
    collections: (collections ?? []) as readonly string[],
    config: Object.fromEntries(
      Object.entries(config ?? {}).map(([key, value]) => [key, connectorProperty(key, value)]),
    ),
  }
}

/** What stands before `schema.table` in the first of its topics: `shop` of `shop.public.*`. */
function prefixOf({ name, source }: PipelineShape): string {
  const [topic = ''] = source.kind === 'kafka' ? source.topics : []
  const prefix = topic.split('.').slice(0, -2).join('.')
  return /^[A-Za-z0-9._-]+$/.test(prefix) ? prefix : name
}
