import type { PipelineSettings } from './config-schema.ts'
import type { Secret } from './secret.ts'

/** Where records come from, and how they are fetched. */
export interface KafkaSettings {
  readonly kind: 'kafka'
  /** `host:port`. */
  readonly brokers: readonly string[]
  /** Globs. */
  readonly topics: readonly string[]
  readonly groupId: string
  /** `null`: the listener speaks no TLS. */
  readonly ssl: KafkaSsl | null
  readonly sasl: KafkaSasl | null
  readonly fetch: KafkaFetch
  /** A member that is silent for so long is taken for dead, and its tables go to others. */
  readonly sessionTimeoutMs: number
  /** How soon topics and partitions are seen that did not exist at the start. */
  readonly topicsAgeMs: number
}

/** Files in PEM form. Empty: TLS with the authorities that Node knows. */
export interface KafkaSsl {
  readonly ca?: string
  /** Ours, where brokers want to know who we are. */
  readonly cert?: string
  readonly key?: string
  /** The name in the broker's certificate, where it is not that of the address. */
  readonly serverName?: string
}

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: KafkaSecret
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: KafkaSecret | TokenEndpoint }

/** Where tokens are asked for by OAuth 2 client credentials, each time before the last one runs out. */
export interface TokenEndpoint {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: KafkaSecret
  readonly scope?: string
}

/** In the environment, or in a file; a file with a token is read again at every login. */
export type KafkaSecret = Secret | { readonly file: string }

export interface KafkaFetch {
  /** A broker answers when it has so much… */
  readonly minBytes: number
  /** …or when so much time has passed. */
  readonly maxWaitMs: number
  /** Of one partition in one answer; a larger record comes alone. */
  readonly maxPartitionBytes: number
}

export const DEFAULT_GROUP_ID = 'alluvium'
export const DEFAULT_FETCH: KafkaFetch = {
  minBytes: 1024 * 1024,
  maxWaitMs: 500,
  maxPartitionBytes: 10 * 1024 * 1024,
}
/** Longer than a commit of a large batch holds up the loop. */
export const DEFAULT_SESSION_TIMEOUT_MS = 30_000
export const DEFAULT_TOPICS_AGE_MS = 30_000

type KafkaSection = NonNullable<PipelineSettings['source']['kafka']>

/** What the file says, with every default filled in. */
export function kafkaSettings(section: KafkaSection): KafkaSettings {
  const { brokers, topics, groupId, ssl, sasl, fetch, sessionTimeout, topicsAge } = section
  return {
    kind: 'kafka',
    brokers,
    topics: topics as readonly string[],
    groupId: groupId ?? DEFAULT_GROUP_ID,
    ssl: ssl === undefined || ssl === false ? null : ssl === true ? {} : ssl,
    sasl: sasl === undefined ? null : saslOf(sasl),
    fetch: {
      minBytes: fetch?.minBytes ?? DEFAULT_FETCH.minBytes,
      maxWaitMs: fetch?.maxWait ?? DEFAULT_FETCH.maxWaitMs,
      maxPartitionBytes: fetch?.maxPartitionBytes ?? DEFAULT_FETCH.maxPartitionBytes,
    },
    sessionTimeoutMs: sessionTimeout ?? DEFAULT_SESSION_TIMEOUT_MS,
    topicsAgeMs: topicsAge ?? DEFAULT_TOPICS_AGE_MS,
  }
}

function saslOf(given: NonNullable<KafkaSection['sasl']>): KafkaSasl {
  const { mechanism, username = '', password, passwordFile, token, tokenFile, tokenEndpoint } = given
  if (mechanism === 'oauthbearer') {
    return {
      mechanism,
      token: tokenEndpoint === undefined ? (token ?? { file: tokenFile! }) : endpointOf(tokenEndpoint),
    }
  }
  return { mechanism, username, password: password ?? { file: passwordFile! } }
}

type EndpointSection = NonNullable<NonNullable<KafkaSection['sasl']>['tokenEndpoint']>

function endpointOf({ clientSecret, clientSecretFile, ...given }: EndpointSection): TokenEndpoint {
  return { ...given, clientSecret: clientSecret ?? { file: clientSecretFile! } }
}
