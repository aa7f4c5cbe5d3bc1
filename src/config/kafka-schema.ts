import { z } from 'zod'
import {
  DEFAULT_FETCH,
  DEFAULT_GROUP_ID,
  DEFAULT_SESSION_TIMEOUT_MS,
  DEFAULT_TOPICS_AGE_MS,
} from './kafka-settings.ts'
import { formatBytes, formatDuration } from './quantity.ts'
import {
  boolean,
  byteSize,
  duration,
  name,
  names,
  optional,
  secret,
  several,
  strict,
} from './schema-forms.ts'

const broker = z.string().regex(/^[^\s:/@]+:\d{1,5}$/, { error: 'expected host:port' })

const ssl = z.union([
  boolean,
  strict({
    ca: optional(name, 'File with the authorities that sign the brokers (PEM).', 'those that Node knows'),
    cert: optional(name, 'File with our certificate, where brokers want to know who we are (PEM).'),
    key: optional(name, 'File with the key of `cert` (PEM).'),
    serverName: optional(name, "Name in the broker's certificate, where it is not that of the address."),
  }).refine((given) => (given.cert === undefined) === (given.key === undefined), {
    error: '`cert` and `key` belong together',
  }),
])

/** A secret goes over the wire: in the clear only to this machine itself. */
const tokenUrl = z
  .string()
  .refine((text) => /^(https:\/\/[^\s/@]+|http:\/\/(127\.0\.0\.1|localhost)(:\d+)?)(\/\S*)?$/.test(text), {
    error: 'expected https://host/path; the secret goes in the `clientSecret`, never here',
  })

const tokenEndpoint = strict({
  url: tokenUrl.meta({ description: 'Where a token is asked for (https).' }),
  clientId: name.meta({ description: 'Who asks.' }),
  clientSecret: optional(secret, 'Its secret, out of a variable: `"${NAME}"`.'),
  clientSecretFile: optional(name, 'File with the secret, instead of `clientSecret`.'),
  scope: optional(name, 'What the token is for.'),
}).refine((given) => (given.clientSecret === undefined) !== (given.clientSecretFile === undefined), {
  error: 'give one of `clientSecret: "${VARIABLE}"` and `clientSecretFile`',
})

const sasl = strict({
  mechanism: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'])
    .meta({ description: 'How to log in.' }),
  username: optional(name, 'Of `plain` and `scram`.'),
  password: optional(secret, 'Of `plain` and `scram`, out of a variable: `"${NAME}"`.'),
  passwordFile: optional(name, 'File with the password, instead of `password`.'),
  token: optional(secret, 'Of `oauthbearer`, out of a variable.'),
  tokenFile: optional(name, 'File with the token; read again at every login.'),
  tokenEndpoint: optional(tokenEndpoint, 'Where to get tokens by OAuth 2 client credentials.'),
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

const fetch = strict({
  minBytes: optional(byteSize, 'A broker answers when it has so much…', formatBytes(DEFAULT_FETCH.minBytes)),
  maxWait: optional(duration, '…or when so much time has passed.', formatDuration(DEFAULT_FETCH.maxWaitMs)),
  maxPartitionBytes: optional(
    byteSize,
    'Of one partition in one answer; a larger record comes alone.',
    formatBytes(DEFAULT_FETCH.maxPartitionBytes),
  ),
})

/** `source.kafka`. */
export const kafkaSection = strict({
  brokers: several(broker).meta({ description: 'Where to begin: `host:port`, some of the brokers.' }),
  topics: names.meta({
    description: 'Globs of topics; those of Kafka and Connect themselves are never read.',
  }),
  groupId: optional(name, 'Consumer group.', DEFAULT_GROUP_ID),
  ssl: optional(ssl, '`true`: TLS with the authorities that Node knows.', false),
  sasl: optional(sasl, 'How to log in.'),
  fetch: optional(fetch, 'How records are fetched.'),
  sessionTimeout: optional(
    duration,
    'A member that is silent for so long is taken for dead.',
    formatDuration(DEFAULT_SESSION_TIMEOUT_MS),
  ),
  topicsAge: optional(
    duration,
    'How soon new topics and partitions are seen.',
    formatDuration(DEFAULT_TOPICS_AGE_MS),
  ),
})
