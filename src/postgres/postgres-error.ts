import { EngineError, messageOf, type Remedy } from '../../core/errors.ts'
import { redactSecrets } from '../config/secret.ts'
import { type PostgresTarget, postgresLocation } from './postgres-settings.ts'

interface Diagnosis {
  readonly code: string
  readonly remedy: Remedy
  readonly cure: string
}

const LOGIN: Diagnosis = {
  code: 'E_POSTGRES_LOGIN',
  remedy: 'stop',
  cure: 'it does not accept the login; look at user and password, and at the lines of pg_hba.conf for this host',
}
const DENIED: Diagnosis = {
  code: 'E_POSTGRES_DENIED',
  remedy: 'stop',
  cure: 'the login may not do that; grant it USAGE on the schema and SELECT on the tables',
}
const UNREACHABLE: Diagnosis = {
  code: 'E_POSTGRES_UNREACHABLE',
  remedy: 'retry',
  cure: 'no answer, or no connection left; look at host, port, the network, and at max_connections',
}
const BUSY: Diagnosis = {
  code: 'E_POSTGRES_BUSY',
  remedy: 'retry',
  cure: 'it gave the statement up (a timeout, a lock, or an administrator); try again when it has less to do',
}
const TLS: Diagnosis = {
  code: 'E_POSTGRES_TLS',
  remedy: 'stop',
  cure: 'it and we do not agree on TLS; look at `sslmode` of the address and at the authority of its certificate',
}
const FAILED: Diagnosis = {
  code: 'E_POSTGRES_FAILED',
  remedy: 'stop',
  cure: 'it refused, and trying again will not help',
}

/** By SQLSTATE, the longest beginning that is known; and by the codes of Node's network errors. */
const BY_CODE: Readonly<Record<string, Diagnosis>> = {
  '28': LOGIN,
  '3D000': { ...FAILED, cure: 'there is no such database' },
  '42501': DENIED,
  '08': UNREACHABLE,
  '53': UNREACHABLE,
  '57P': UNREACHABLE,
  '57014': BUSY,
  '55P03': BUSY,
  '40': BUSY,
  ECONNREFUSED: UNREACHABLE,
  ECONNRESET: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  EPIPE: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
}

/** What the driver says in words alone. */
const BY_WORDS: readonly (readonly [RegExp, Diagnosis])[] = [
  [/SASL|password|authentication/i, LOGIN],
  [/SSL|certificate|TLS/i, TLS],
  [/connection terminated|timeout expired|timeout exceeded|not queryable|ended/i, UNREACHABLE],
]

/**
 * An error of the driver as one of ours, with its cure and without the password; ours stay what they are.
 *
 * @param site what was asked, such as `catalog.table`
 */
export function toPostgresError(error: unknown, target: PostgresTarget, site: string): EngineError {
  if (error instanceof EngineError) return error
  const { code, remedy, cure } = diagnose(error)
  const said = withoutPassword(messageOf(error), target)
  const where = `${postgresLocation(target)} (${site})`
  return new EngineError(code, remedy, `${where}: ${said}; ${cure}`, {}, harmlessCause(error, said))
}

function diagnose(error: unknown): Diagnosis {
  const first = error instanceof AggregateError ? error.errors[0] : error
  const code = (first as { readonly code?: unknown } | null)?.code
  if (typeof code === 'string') {
    for (const length of [code.length, 3, 2]) {
      const found = BY_CODE[code.slice(0, length)]
      if (found !== undefined) return found
    }
    if (/^[0-9A-Z]{5}$/.test(code)) return FAILED
  }
  return BY_WORDS.find(([words]) => words.test(messageOf(error)))?.[1] ?? FAILED
}

function withoutPassword(message: string, { password }: PostgresTarget): string {
  const redacted = redactSecrets(message === '' ? 'no answer' : message)
  const secret = password?.reveal() ?? ''
  return secret === '' ? redacted : redacted.replaceAll(secret, '[redacted]')
}

/** The driver's error itself, unless it says what must not be said. */
function harmlessCause(error: unknown, said: string): unknown {
  return messageOf(error) === said ? error : undefined
}
