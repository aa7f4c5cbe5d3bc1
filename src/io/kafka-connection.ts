import type { Kafka, KafkaConfig, logLevel as LogLevel, Mechanism, SASLOptions } from 'kafkajs'
import { type Observe, unobserved } from '../../core/fact.ts'
import type { Clock, Logger } from '../../core/ports.ts'
import type { KafkaSasl, KafkaSsl, TokenEndpoint } from '../config/kafka-settings.ts'
import { bearerLogin } from './kafka-bearer-login.ts'
import { kafkajs, THROTTLED_MS } from './kafka-client.ts'
import { neededFile, readSecret } from './kafka-secret.ts'
import { OAuthTokens } from './oauth-tokens.ts'

export interface KafkaAddress {
  readonly brokers: readonly string[]
  /** `null`: the listener speaks no TLS. */
  readonly ssl: KafkaSsl | null
  readonly sasl: KafkaSasl | null
}

/** How the brokers name us in their logs and metrics. */
const CLIENT_ID = 'alluvium'
const CONNECT_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 30_000
/** So long before its time is over a connection logs in anew. Tokens must be good for longer than that. */
const LOGIN_BEFORE_MS = 10_000
/** About 10 s in all, with growing pauses. */
const RETRIES = 5

/** A client of the cluster; connects to nothing yet. @throws EngineError `E_CONFIG` when a file is missing */
export async function openKafka(
  address: KafkaAddress,
  clock: Clock,
  logger: Logger,
  observe: Observe = unobserved,
): Promise<Kafka> {
  const { brokers, ssl, sasl } = address
  return new kafkajs.Kafka({
    clientId: CLIENT_ID,
    brokers: [...brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    reauthenticationThreshold: LOGIN_BEFORE_MS,
    retry: { retries: RETRIES },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => logTo(logger, observe),
    ...(ssl === null ? {} : { ssl: await tlsOptions(ssl) }),
    ...(sasl === null ? {} : { sasl: await saslOptions(sasl, clock) }),
  })
}

async function tlsOptions({ ca, cert, key, serverName }: KafkaSsl): Promise<NonNullable<KafkaConfig['ssl']>> {
  return {
    ...(ca === undefined ? {} : { ca: [await neededFile(ca)] }),
    ...(cert === undefined ? {} : { cert: await neededFile(cert) }),
    ...(key === undefined ? {} : { key: await neededFile(key) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  }
}

async function saslOptions(sasl: KafkaSasl, clock: Clock): Promise<SASLOptions | Mechanism> {
  if (sasl.mechanism === 'oauthbearer') {
    const { token } = sasl
    return bearerLogin('url' in token ? tokensOf(token, clock) : () => readSecret(token))
  }
  const { mechanism, username } = sasl
  const login: SASLOptions = { mechanism, username, password: await readSecret(sasl.password) }
  return login
}

function tokensOf({ clientSecret, ...endpoint }: TokenEndpoint, clock: Clock): () => Promise<string> {
  const tokens = new OAuthTokens({ ...endpoint, clientSecret: () => readSecret(clientSecret) }, clock)
  return () => tokens.current()
}

/** What the library complains of is seldom more than a reconnect: its errors are our warnings. */
function logTo(
  logger: Logger,
  observe: Observe,
): (entry: {
  readonly namespace: string
  readonly level: LogLevel
  readonly log: { readonly message: string; readonly error?: unknown; readonly [THROTTLED_MS]?: number }
}) => void {
  return ({ namespace, level, log }) => {
    const throttledMs = log[THROTTLED_MS]
    if (throttledMs !== undefined) return observe({ kind: 'source-throttled', throttledMs })
    const fields = {
      event: 'kafka.client',
      kafka: namespace,
      ...(log.error === undefined ? {} : { error: String(log.error) }),
    }
    // The connection has told already what its pool repeats.
    const isTold = namespace === 'BrokerPool'
    if (level <= kafkajs.logLevel.ERROR && !isTold) logger.warn(fields, log.message)
    else logger.debug(fields, log.message)
  }
}
