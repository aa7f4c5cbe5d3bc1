import { z } from 'zod'
import { TABLE_PATH_TEMPLATE } from '../../schemas/table-path.ts'
import {
  DEFAULT_GRACE_MS,
  DEFAULT_LISTEN,
  DEFAULT_LOCATOR_MEMORY,
  DEFAULT_PROFILE,
  DEFAULT_WORKERS,
} from './default-config.ts'
import { kafkaSection } from './kafka-schema.ts'
import { formatBytes, formatDuration } from './quantity.ts'
import {
  bearerToken,
  boolean,
  byteSize,
  count,
  duration,
  name,
  numeric,
  optional,
  secret,
  strict,
  tableKey,
  textForm,
} from './schema-forms.ts'
import { tableSettings } from './table-schema.ts'
import { connectorSection, postgresSection } from './upstream-schema.ts'

/** `host:port`; a port alone means this machine. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export function parseListenAddress(text: string): ListenAddress | null {
  const found = /^(?:(\[[0-9a-fA-F:.]+\]|[^\s:/@]*):)?(\d{1,5})$/.exec(text.trim())
  if (found === null || Number(found[2]) > 65535) return null
  const host = (found[1] ?? '').replace(/^\[|\]$/g, '')
  return { host: host === '' ? '127.0.0.1' : host, port: Number(found[2]) }
}

const endpoint = z.string().refine((text) => /^https?:\/\/[^\s/@]+\/?$/.test(text), {
  error:
    'expected http://host:port or https://host:port; credentials come from the AWS chain, never from here',
})

const encryption = strict({
  kind: z.enum(['AES256', 'aws:kms']).meta({ description: 'Whose key.' }),
  keyId: optional(name, 'Of KMS: id, alias or ARN.', "the account's own key for S3"),
}).refine((given) => given.keyId === undefined || given.kind === 'aws:kms', {
  error: 'a `keyId` belongs to `kind: aws:kms`',
})

const source = strict({
  kafka: optional(kafkaSection, 'Topics of Kafka, Redpanda or Event Hubs.'),
  files: optional(name, 'Directory of recorded topics, a `.jsonl` file each.'),
}).refine((given) => (given.kafka === undefined) !== (given.files === undefined), {
  error: 'name one source: `kafka: { brokers, topics }` or `files: DIR`',
})

/** Each has tables, a heap and requests of its own. */
const WORKERS_MAX = 32

const batch = strict({
  preset: optional(
    z.enum(['low', 'medium', 'high']),
    'Rows for little, some or much traffic: 50, 500 or 5,000; what is said beside it stands above.',
  ),
  rows: optional(count, 'Most rows of a batch; a full one is one commit.'),
  bytes: optional(byteSize, 'Most bytes of a batch, as the records hold them without their schemas.'),
  age: optional(duration, 'How long its first record may wait.'),
})

const pipelineSettings = strict({
  source: source.meta({ description: 'Where its records come from.' }),
  freshness: optional(
    duration,
    'How old a record may get before it is in its table; the same as `batch.age`.',
    '1s on a disk, 10s on S3',
  ),
  grace: optional(
    duration,
    'How long a run that is told to end may take to make durable what it holds.',
    formatDuration(DEFAULT_GRACE_MS),
  ),
  workers: optional(
    numeric(z.int().min(0).max(WORKERS_MAX)),
    'Threads that decode and write beside the one that reads.',
    DEFAULT_WORKERS,
  ),
  batch: optional(batch, "A table's batch closes at the first of these bounds."),
  tablePath: optional(name, "Template of a table's path in the lake.", TABLE_PATH_TEMPLATE),
  tables: optional(
    z.record(tableKey, tableSettings),
    'By `schema.table`; what `"*"` says holds for every table that says nothing else itself.',
  ),
  postgres: optional(
    postgresSection,
    'The database behind the topics, for `setup postgres`, `connector` and `doctor`.',
  ),
  connector: optional(connectorSection, 'What turns its log into topics, for `connector` and `doctor`.'),
}).refine((given) => given.freshness === undefined || given.batch?.age === undefined, {
  error: '`freshness` and `batch.age` say the same; keep one of them',
})

const cron = z.string().regex(/^(\S+\s+){4}\S+$/, { error: 'expected five cron fields, such as "0 3 * * *"' })

const pipelineName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, {
  error: 'a pipeline is named by letters, digits, "-", "_" and "."; the name becomes part of the lake',
})

const store = strict({
  endpoint: optional(endpoint, 'Of a store that speaks S3.', "AWS's own"),
  region: optional(name, 'Region of the bucket.', 'what the AWS chain says'),
  pathStyle: optional(boolean, '`true`: the bucket stands in the path, not in the host name.', false),
  encryption: optional(
    encryption,
    'How the store is told to encrypt what we write.',
    "the bucket's own default",
  ),
})

const dq = strict({
  source: optional(secret, 'URL of the source database, out of a variable.', '`POSTGRES_CONNECTION_STRING`'),
  schedule: optional(
    z.partialRecord(z.enum(['schema', 'row-count', 'checksum', 'lag']), cron),
    'Five cron fields, by check.',
  ),
})

const http = strict({
  listen: optional(
    textForm(parseListenAddress, 'an address such as 127.0.0.1:9464, its port at most 65535'),
    'Address of health, metrics and the status page; a port alone means this machine.',
    `${DEFAULT_LISTEN.host}:${DEFAULT_LISTEN.port}`,
  ),
  metricsToken: optional(
    bearerToken,
    'Whoever asks for `/metrics` has to show it (`Authorization: Bearer`); out of a variable.',
  ),
})

const locator = strict({
  memory: optional(
    byteSize,
    'Where each key of the tables is known by: so much of it in memory, the rest on disk.',
    formatBytes(DEFAULT_LOCATOR_MEMORY),
  ),
})

/** `alluvium.yaml` as written; see `Config` for what it means. */
export const configSchema = strict({
  lake: name.meta({ description: 'Where the tables lie: a directory, or `s3://bucket/prefix`.' }),
  profile: optional(
    z.enum(['dev', 'prod']),
    '`prod` refuses what `dev` warns of: secrets in this file, and networks in clear beyond this machine.',
    DEFAULT_PROFILE,
  ),
  store: optional(store, 'The object store; credentials come from the AWS chain, never from here.'),
  pipelines: z
    .record(pipelineName, pipelineSettings)
    .meta({ description: 'By name; the name becomes part of the lake.' }),
  dq: optional(dq, 'The proof against the source.'),
  http: optional(http, 'Pages for people and probes.'),
  locator: optional(locator, 'What the process remembers of where rows are.'),
})

export type ConfigFile = z.output<typeof configSchema>
export type PipelineSettings = z.output<typeof pipelineSettings>
export type TableSettings = z.output<typeof tableSettings>
