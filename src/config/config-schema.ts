import { z } from 'zod'
import { nearestName } from './nearest-name.ts'
import { parseByteSize, parseDuration } from './quantity.ts'
import { Secret } from './secret.ts'

/** An object that refuses keys it does not know and names the one that was meant. */
function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, known)).join('; ')
        : undefined,
  })
}

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known)
  const hint =
    nearest === null ? `known here: ${known.join(', ')}` : `did you mean ${JSON.stringify(nearest)}?`
  return `unknown key ${JSON.stringify(key)}; ${hint}`
}

/** A text that `parse` understands; `form` tells the reader how such a text looks. */
function textForm<T>(parse: (text: string) => T | null, form: string) {
  return z.string().transform((text, context) => {
    const parsed = parse(text)
    if (parsed !== null) return parsed
    context.addIssue({ code: 'custom', message: `expected ${form}` })
    return z.NEVER
  })
}

/** Numbers, and digits that came out of a variable. */
function numeric<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => {
    const isDigits = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim())
    return isDigits ? Number(value) : value
  }, schema)
}

const boolean = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
)

/** A list; one text may hold it too, with commas or as JSON, as variables do. */
function list<Item extends z.ZodType>(item: Item) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? splitList(value) : value),
    z
      .array(item)
      .refine((items) => new Set(items).size === items.length, { error: 'the same item stands there twice' }),
  )
}

export function splitList(text: string): unknown {
  if (text.trimStart().startsWith('[')) {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

const name = z.string().min(1, { error: 'must not be empty' })
const names = list(name).refine((items) => (items as readonly unknown[]).length > 0, {
  error: 'must not be empty',
})
const count = numeric(z.int().positive())
export const duration = textForm(parseDuration, 'a duration such as 500ms, 1s or 2m')
const byteSize = z.union([z.int().positive(), textForm(parseByteSize, 'a size such as 64MB')], {
  error: 'expected a size such as 64MB',
})

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

const broker = z.string().regex(/^[^\s:/@]+:\d{1,5}$/, { error: 'expected host:port' })

const endpoint = z.string().refine((text) => /^https?:\/\/[^\s/@]+\/?$/.test(text), {
  error:
    'expected http://host:port or https://host:port; credentials come from the AWS chain, never from here',
})

const encryption = strict({
  kind: z.enum(['AES256', 'aws:kms']),
  keyId: z.exactOptional(name),
}).refine((given) => given.keyId === undefined || given.kind === 'aws:kms', {
  error: 'a `keyId` belongs to `kind: aws:kms`',
})

/** What a person may say about a table. All of it may be missing. */
const tableSettings = z.preprocess(
  (value) => value ?? {},
  strict({
    key: z.exactOptional(names),
    columns: z.exactOptional(z.record(name, name)),
    decimalHandling: z.exactOptional(z.enum(['precise', 'string'])),
    mode: z.exactOptional(z.enum(['upsert', 'append'])),
    deletes: z.exactOptional(z.enum(['hard', 'soft'])),
    merge: z.exactOptional(z.enum(['lazy', 'at-once'])),
    merging: z.exactOptional(z.enum(['on', 'off'])),
    changeFeed: z.exactOptional(z.enum(['auto', 'full', 'rows', 'off'])),
    readers: z.exactOptional(list(z.enum(['spark', 'delta-rs', 'polars', 'duckdb', 'trino']))),
    partitionBy: z.exactOptional(list(name)),
    replicaIdentity: z.exactOptional(z.enum(['full', 'default'])),
    schemaChanges: z.exactOptional(z.enum(['evolve', 'contract', 'stop'])),
    deadLetters: z.exactOptional(strict({ maxShare: numeric(z.number().gt(0).max(1)) })),
    topics: z.exactOptional(names),
    skip: z.exactOptional(boolean),
    start: z.exactOptional(z.enum(['earliest', 'mark', 'latest'])),
    spread: z.exactOptional(z.enum(['partitions'])),
  }),
)

const tableKey = z
  .string()
  .regex(/^(\*|[^.\s][^.]*\..+)$/, { error: 'name a table as schema.table, or "*" for all' })

const ssl = z.union([
  boolean,
  strict({
    ca: z.exactOptional(name),
    cert: z.exactOptional(name),
    key: z.exactOptional(name),
    serverName: z.exactOptional(name),
  }).refine((given) => (given.cert === undefined) === (given.key === undefined), {
    error: '`cert` and `key` belong together',
  }),
])

const secret = name.transform((text) => new Secret(text))

/** A secret goes over the wire: in the clear only to this machine itself. */
const tokenUrl = z
  .string()
  .refine((text) => /^(https:\/\/[^\s/@]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)(\/\S*)?$/.test(text), {
    error: 'expected https://host/path; the secret goes in the `clientSecret`, never here',
  })

const tokenEndpoint = strict({
  url: tokenUrl,
  clientId: name,
  clientSecret: z.exactOptional(secret),
  clientSecretFile: z.exactOptional(name),
  scope: z.exactOptional(name),
}).refine((given) => (given.clientSecret === undefined) !== (given.clientSecretFile === undefined), {
  error: 'give one of `clientSecret: "${VARIABLE}"` and `clientSecretFile`',
})

const sasl = strict({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']),
  username: z.exactOptional(name),
  password: z.exactOptional(secret),
  passwordFile: z.exactOptional(name),
  token: z.exactOptional(secret),
  tokenFile: z.exactOptional(name),
  tokenEndpoint: z.exactOptional(tokenEndpoint),
}).superRefine((given, context) => {
  const fault = saslFault(given)
  if (fault !== null) context.addIssue({ code: 'custom', message: fault })
})

function saslFault(given: { readonly [key: string]: unknown }): string | null {
  const isToken = given['mechanism'] === 'oauthbearer'
  const tokens = ['token', 'tokenFile', 'tokenEndpoint']
  const passwords = ['password', 'passwordFile']
  const strangers = isToken ? [...passwords, 'username'] : tokens
  const stranger = strangers.find((key) => given[key] !== undefined)
  if (stranger !== undefined) return `\`${stranger}\` does not belong to ${given['mechanism']}`
  if (!isToken && given['username'] === undefined) return 'name the `username`'
  if ((isToken ? tokens : passwords).filter((key) => given[key] !== undefined).length === 1) return null
  return isToken
    ? 'give one of `token: "${VARIABLE}"`, `tokenFile` and `tokenEndpoint`'
    : 'give one of `password: "${VARIABLE}"` and `passwordFile`'
}

const kafka = strict({
  brokers: names.pipe(z.array(broker)),
  topics: names,
  groupId: z.exactOptional(name),
  ssl: z.exactOptional(ssl),
  sasl: z.exactOptional(sasl),
  fetch: z.exactOptional(
    strict({
      minBytes: z.exactOptional(byteSize),
      maxWait: z.exactOptional(duration),
      maxPartitionBytes: z.exactOptional(byteSize),
    }),
  ),
  sessionTimeout: z.exactOptional(duration),
  topicsAge: z.exactOptional(duration),
})

const source = strict({ kafka: z.exactOptional(kafka), files: z.exactOptional(name) }).refine(
  (given) => (given.kafka === undefined) !== (given.files === undefined),
  { error: 'name one source: `kafka: { brokers, topics }` or `files: DIR`' },
)

/** Each has tables, a heap and requests of its own. */
const WORKERS_MAX = 32

const pipelineSettings = strict({
  source,
  freshness: z.exactOptional(duration),
  grace: z.exactOptional(duration),
  workers: z.exactOptional(numeric(z.int().min(0).max(WORKERS_MAX))),
  batch: z.exactOptional(
    strict({
      rows: z.exactOptional(count),
      bytes: z.exactOptional(byteSize),
      age: z.exactOptional(duration),
    }),
  ),
  tablePath: z.exactOptional(name),
  tables: z.exactOptional(z.record(tableKey, tableSettings)),
}).refine((given) => given.freshness === undefined || given.batch?.age === undefined, {
  error: '`freshness` and `batch.age` say the same; keep one of them',
})

const cron = z.string().regex(/^(\S+\s+){4}\S+$/, { error: 'expected five cron fields, such as "0 3 * * *"' })

const pipelineName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, {
  error: 'a pipeline is named by letters, digits, "-", "_" and "."; the name becomes part of the lake',
})

/** `alluvium.yaml` as written; see `Config` for what it means. */
export const configSchema = strict({
  lake: name,
  store: z.exactOptional(
    strict({
      endpoint: z.exactOptional(endpoint),
      region: z.exactOptional(name),
      pathStyle: z.exactOptional(boolean),
      encryption: z.exactOptional(encryption),
    }),
  ),
  pipelines: z.record(pipelineName, pipelineSettings),
  dq: z.exactOptional(
    strict({
      source: z.exactOptional(name.transform((text) => new Secret(text))),
      schedule: z.exactOptional(z.partialRecord(z.enum(['schema', 'row-count', 'checksum', 'lag']), cron)),
    }),
  ),
  http: z.exactOptional(
    strict({
      listen: textForm(parseListenAddress, 'an address such as 127.0.0.1:9464, its port at most 65535'),
    }),
  ),
})

export type ConfigFile = z.output<typeof configSchema>
export type PipelineSettings = z.output<typeof pipelineSettings>
export type TableSettings = z.output<typeof tableSettings>

/** The shape as a JSON schema, for editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: 'input' })
}
