import { EngineError, messageOf, type Remedy } from '../../core/errors.ts'
import { redactSecrets } from '../config/secret.ts'

interface Diagnosis {
  readonly code: string
  readonly remedy: Remedy
  readonly cure: string
}

const UNREACHABLE: Diagnosis = {
  code: 'E_KAFKA_UNREACHABLE',
  remedy: 'retry',
  cure: 'no answer from the brokers; look at `brokers`, at the addresses that the brokers advertise, and at the network',
}
const TLS: Diagnosis = {
  code: 'E_KAFKA_TLS',
  remedy: 'stop',
  cure:
    'the broker and we do not agree on TLS; name the file of its authority in `ssl: { ca }` (or set `ssl: true`, ' +
    'or leave it out where the listener speaks no TLS)',
}
const LOGIN: Diagnosis = {
  code: 'E_KAFKA_LOGIN',
  remedy: 'stop',
  cure: 'the broker does not accept the login; look at `sasl`: mechanism, user, and the variable or file of the secret',
}
const DENIED: Diagnosis = {
  code: 'E_KAFKA_DENIED',
  remedy: 'stop',
  cure:
    'this login may not do that; allow READ and DESCRIBE on the topics and READ on the group ' +
    '(kafka-acls --add --allow-principal … --consumer --topic … --group …)',
}
const CODEC: Diagnosis = {
  code: 'E_KAFKA_FAILED',
  remedy: 'stop',
  cure: 'the topic holds what this client cannot read',
}
const FAILED: Diagnosis = {
  code: 'E_KAFKA_FAILED',
  remedy: 'stop',
  cure: 'the broker refused, and trying again will not help',
}

/** By the type of a protocol error, or the name of an error of the library. */
const BY_NAME: Readonly<Record<string, Diagnosis>> = {
  TOPIC_AUTHORIZATION_FAILED: DENIED,
  GROUP_AUTHORIZATION_FAILED: DENIED,
  CLUSTER_AUTHORIZATION_FAILED: DENIED,
  SASL_AUTHENTICATION_FAILED: LOGIN,
  UNSUPPORTED_SASL_MECHANISM: LOGIN,
  ILLEGAL_SASL_STATE: LOGIN,
  KafkaJSSASLAuthenticationError: LOGIN,
  KafkaJSNotImplemented: CODEC,
  KafkaJSUnsupportedMagicByteInMessageSet: CODEC,
  KafkaJSConnectionError: UNREACHABLE,
  KafkaJSConnectionClosedError: UNREACHABLE,
  KafkaJSRequestTimeoutError: UNREACHABLE,
  KafkaJSBrokerNotFound: UNREACHABLE,
  KafkaJSNoBrokerAvailableError: UNREACHABLE,
  KafkaJSGroupCoordinatorNotFound: UNREACHABLE,
  KafkaJSLockTimeout: UNREACHABLE,
}

const TLS_WORDS = /certificate|self[- ]signed|SSL routines|wrong version number|TLS/i

/** An error of kafkajs as one of ours, with its cure. Ours stay what they are, also where the library wrapped them. */
export function toKafkaError(error: unknown, what: string): EngineError {
  const ours = [...causesOf(error)].find((each) => each instanceof EngineError)
  if (ours !== undefined) return ours
  const { code, remedy, cure } = diagnose(error)
  return new EngineError(code, remedy, `${what}: ${redactSecrets(messageOf(error))}; ${cure}`, {}, error)
}

/** The innermost error that says something; the library wraps what it has tried several times. */
function diagnose(error: unknown): Diagnosis {
  let found: Diagnosis | null = null
  for (const each of causesOf(error)) {
    if (TLS_WORDS.test(each.message)) return TLS
    const { type } = each as { readonly type?: unknown }
    found = BY_NAME[typeof type === 'string' ? type : each.name] ?? found
    const isRetriable = (each as { readonly retriable?: unknown }).retriable === true
    if (found === null && isRetriable) found = UNREACHABLE
  }
  return found ?? FAILED
}

function* causesOf(error: unknown): Generator<Error> {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++) yield each
}
