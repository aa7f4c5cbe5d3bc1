import { z } from 'zod'
import {
  boolean,
  byteSize,
  list,
  name,
  numeric,
  optional,
  secret,
  splitList,
  strict,
  tableKey,
} from './schema-forms.ts'
import { DEFAULT_CONNECT, DEFAULT_POSTGRES } from './upstream.ts'

/** What Postgres takes as the name of a slot; Debezium asks the same of publications. */
export const slotName = z.string().regex(/^[a-z0-9_]{1,63}$/, {
  error: 'expected lower-case letters, digits and "_", at most 63 of them',
})

/** One text may hold the list, as variables do; `*` in it, or alone, stands for all tables. */
const tables = z
  .preprocess((value) => (typeof value === 'string' ? splitList(value) : value), z.array(name))
  .transform((given): readonly string[] | '*' => (given.includes('*') ? '*' : given))

/** `pipelines.<name>.postgres`: the database behind the topics. */
export const postgresSection = strict({
  connection: optional(
    secret,
    'URL of the database for `setup`, `connector` and `doctor`, out of a variable; without it that of `dq.source`.',
  ),
  publication: optional(slotName, 'Name of the publication.', DEFAULT_POSTGRES.publication),
  slot: optional(slotName, 'Name of the replication slot.', DEFAULT_POSTGRES.slot),
  schema: optional(name, 'Schema of tables that are named without one.', DEFAULT_POSTGRES.schema),
  tables: optional(
    tables,
    'Tables to capture, `table` or `schema.table`; `"*"` for all.',
    "those that the pipeline's `tables` name",
  ),
  columns: optional(
    z.record(tableKey, list(name)),
    'Column lists of the publication (Postgres 15 and newer): what is not named never leaves the database.',
  ),
  exclude: optional(list(name), 'Globs of tables that are never captured.', [...DEFAULT_POSTGRES.exclude]),
  heartbeat: optional(
    tableKey,
    'Table of one row that the connector keeps moving, so that its slot goes on while the others rest.',
    DEFAULT_POSTGRES.heartbeat,
  ),
  role: optional(name, 'Role that the connector logs in as.', DEFAULT_POSTGRES.role),
  proofRole: optional(name, 'Role that `dq` logs in as.', DEFAULT_POSTGRES.proofRole),
  walDisk: optional(
    byteSize,
    'Size of the disk that holds the WAL: `doctor` tells when a slot will have filled it.',
  ),
})

/** A property of a connector; Connect takes texts alone. */
const property = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)])

/** `pipelines.<name>.connector`: what turns the database's log into topics. */
export const connectorSection = strict({
  url: optional(
    list(
      z.string().regex(/^https?:\/\/[^\s/@]+\/?$/, { error: 'expected http://host:port, without a login' }),
    ),
    'REST addresses of Kafka Connect, `http://host:8083`; of several any that answers.',
  ),
  username: optional(name, 'Login of the REST interface, where it asks for one.'),
  password: optional(secret, 'Its password, out of a variable.'),
  name: optional(name, 'Name of the connector.', 'the name of the pipeline'),
  kind: optional(
    z.enum(['postgres', 'mongodb', 'redpanda']),
    '`postgres` and `mongodb`: Debezium on Kafka Connect. `redpanda`: Redpanda Connect, which has no REST interface: its file is written.',
    DEFAULT_CONNECT.kind,
  ),
  topicPrefix: optional(
    z.string().regex(/^[A-Za-z0-9._-]+$/, { error: 'expected letters, digits, ".", "_" and "-"' }),
    "First part of every topic's name.",
    'what stands before `schema.table` in the pipeline’s topics, else its name',
  ),
  secrets: optional(
    z.string().regex(/^[a-z][a-z0-9-]*(:[^${}\s]+)?$/, {
      error: 'expected a provider, such as env, or file:/etc/connect/secrets.properties',
    }),
    "Provider by which the connector refers to secrets, so that Connect does not show them: `env`, or `file:PATH` on Connect's machine.",
    DEFAULT_CONNECT.secrets,
  ),
  unwrap: optional(boolean, 'Flatten events (`ExtractNewRecordState`) with the fields that we need.', false),
  collections: optional(list(name), 'MongoDB: collections to capture, `database.collection`.'),
  partitions: optional(
    numeric(z.int().positive()),
    'Partitions of topics that Connect creates.',
    DEFAULT_CONNECT.partitions,
  ),
  replication: optional(
    numeric(z.int().positive()),
    'Replicas of topics that Connect creates.',
    DEFAULT_CONNECT.replication,
  ),
  config: optional(
    z.record(name, property),
    'Further properties of the connector; they stand above ours. What is named like a secret is treated as one.',
  ),
}).refine((given) => (given.username === undefined) === (given.password === undefined), {
  error: '`username` and `password` belong together',
})
