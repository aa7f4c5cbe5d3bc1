import type { ConnectorProperties } from './connector-property.ts'
import type { Secret } from './secret.ts'

/** What stands before the topics of a pipeline: `setup`, `connector` and `doctor` are about it. */
export interface Upstream {
  readonly postgres: CaptureSettings
  readonly connector: ConnectorSettings
}

export interface CaptureSettings {
  /** `null`: none is named, here or in the environment. */
  readonly connection: Secret | null
  readonly publication: string
  readonly slot: string
  /** Of tables that are named without one. */
  readonly schema: string
  /** Each `schema.table`; `'*'`: all there are. Empty: none is named. */
  readonly tables: readonly string[] | '*'
  /** Of the publication, by `schema.table`. */
  readonly columns: ReadonlyMap<string, readonly string[]>
  /** Globs of `table` or `schema.table`. */
  readonly exclude: readonly string[]
  /** `schema.table`. */
  readonly heartbeat: string
  readonly role: string
  readonly proofRole: string
  /** Bytes. */
  readonly walDisk: number | null
}

export type ConnectorKind = 'postgres' | 'mongodb' | 'redpanda'

export interface ConnectorSettings {
  /** Of Connect's REST interface; empty: none is named. */
  readonly urls: readonly string[]
  readonly login: { readonly username: string; readonly password: Secret } | null
  readonly name: string
  readonly kind: ConnectorKind
  readonly topicPrefix: string
  /** Provider of Connect by which secrets are referred to: `env`, `file:PATH`. */
  readonly secrets: string
  readonly unwrap: boolean
  readonly collections: readonly string[]
  readonly partitions: number
  readonly replication: number
  /** Further properties; what is named like a secret is one. */
  readonly config: ConnectorProperties
}

/** Tables in which tools note what they have done to the schema. */
const MIGRATION_TABLES = [
  '_prisma_migrations',
  'flyway_schema_history',
  'databasechangelog',
  'databasechangeloglock',
  'schema_migrations',
  'ar_internal_metadata',
  'alembic_version',
  'knex_migrations',
  'knex_migrations_lock',
  'typeorm_metadata',
  '__drizzle_migrations',
  '__EFMigrationsHistory',
  'django_migrations',
  'goose_db_version',
] as const

/** The names of publication and slot are those that existing deployments of `POSTGRES_CDC_*` go by. */
export const DEFAULT_POSTGRES = {
  publication: 'redpanda_cdc_publication',
  slot: 'redpanda_cdc_slot',
  schema: 'public',
  exclude: MIGRATION_TABLES,
  heartbeat: 'alluvium.heartbeat',
  role: 'cdc_repl',
  proofRole: 'cdc_dq',
} as const

export const DEFAULT_CONNECT = {
  kind: 'postgres',
  secrets: 'env',
  partitions: 3,
  replication: 1,
} as const
