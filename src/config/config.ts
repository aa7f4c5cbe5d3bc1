import type { TableContract } from '../../schemas/contract.ts'
import type { ListenAddress } from './config-schema.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type { Secret } from './secret.ts'
import type { Upstream } from './upstream.ts'

/** A whole configuration, checked, with every default filled in. */
export interface Config {
  readonly profile: Profile
  readonly lake: Lake
  readonly store: StoreSettings
  readonly pipelines: readonly PipelineConfig[]
  /** What stands before the topics, by pipeline; kept apart from it, since it holds secrets that no thread needs. */
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly dq: DqSettings
  readonly http: HttpSettings
  readonly locator: LocatorSettings
  /** What is legal and yet unwise, a sentence each. */
  readonly warnings: readonly string[]
}

/** Pages for people and probes. */
export interface HttpSettings {
  readonly listen: ListenAddress
  /** What whoever asks for metrics has to show; anybody may without it. */
  readonly metricsToken?: Secret
}

/** What the process remembers of where rows are. */
export interface LocatorSettings {
  /** Bytes that the locators of all tables hold in memory together. */
  readonly memory: number
}

/** `prod` refuses what `dev` warns of. */
export type Profile = 'dev' | 'prod'

/** Where the tables lie. `location` is what the person wrote. */
export type Lake = LocalLake | S3Lake

export interface LocalLake {
  readonly kind: 'local'
  readonly location: string
  readonly directory: string
}

export interface S3Lake {
  readonly kind: 's3'
  readonly location: string
  readonly bucket: string
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string
}

export interface StoreSettings {
  readonly endpoint?: string
  readonly region?: string
  readonly pathStyle: boolean
  /** How the store is told to encrypt what we write; without it the bucket's own default holds. */
  readonly encryption?: StoreEncryption
}

export interface StoreEncryption {
  readonly kind: 'AES256' | 'aws:kms'
  /** Of KMS: id, alias or ARN. Without it the account's own key for S3. */
  readonly keyId?: string
}

export interface PipelineConfig {
  /** Part of the names that stay in the lake (`alluvium/<name>/…`). */
  readonly name: string
  readonly source: SourceConfig
  readonly batch: BatchBounds
  /** Threads that decode and write; 0: none beside the one that reads. */
  readonly workers: number
  /** How long a run that is told to end may take to make durable what it holds. */
  readonly graceMs: number
  /** Template of a table's path in the lake, see `tablePath` of `schemas/table-path.ts`. */
  readonly tablePath: string
  /** `tables."*"`: what holds for a table that is not named. */
  readonly tableDefaults: TableConfig
  /** The tables that are named, by name; defaults are merged in. */
  readonly tables: ReadonlyMap<string, TableConfig>
}

/** What is decided about the tables of a pipeline. */
export type TableSettings = Pick<PipelineConfig, 'tables' | 'tableDefaults'>

export type SourceConfig = { readonly kind: 'files'; readonly directory: string } | KafkaSettings

/** A micro-batch of a table closes at the first of these bounds. */
export interface BatchBounds {
  readonly rows: number
  readonly bytes: number
  readonly ageMs: number
}

export interface TableConfig extends TableContract {
  /** Its records are read past, and counted as ignored. */
  readonly skip?: boolean
  /** Where a table begins that has no offsets yet while its pipeline has moved on. */
  readonly start?: 'earliest' | 'mark' | 'latest'
}

export interface DqSettings {
  /** Connection string of the source database. */
  readonly source?: Secret
  /** Cron lines, by check. */
  readonly schedule: Readonly<Partial<Record<'schema' | 'row-count' | 'checksum' | 'lag', string>>>
}

/** What was decided about a table, named `schema.table`; a table that is not named gets the defaults of `"*"`. */
export function contractFor(pipeline: TableSettings, table: string): TableConfig {
  return pipeline.tables.get(table) ?? { ...pipeline.tableDefaults, name: table }
}
