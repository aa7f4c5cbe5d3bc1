import { EngineError } from '../../core/errors.ts'
import { Secret } from '../config/secret.ts'

/** Where a Postgres is and how it is asked. */
export interface PostgresSettings {
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string | Secret
  readonly database?: string
  /** `postgres://user:password@host:port/database?sslmode=require`; takes the place of all of the above. */
  readonly connectionString?: string | Secret
  /** Default: what the connection string says (`sslmode`), else none. */
  readonly ssl?: boolean | { readonly ca?: string; readonly serverName?: string }
  /** Connections at most; default 4. */
  readonly poolSize?: number
  /** Default 10 s. */
  readonly connectTimeoutMs?: number
  /** Any statement that takes longer is given up by the database; default 10 minutes. */
  readonly statementTimeoutMs?: number
  /** Tries of a connection, or of a statement that only reads, before a bad day is an error; default 6. */
  readonly attempts?: number
}

/** `PostgresSettings` with nothing left open. */
export interface PostgresTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: Secret | null
  readonly database: string
  readonly ssl: false | { readonly ca?: string; readonly serverName?: string; readonly verify: boolean }
  readonly poolSize: number
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  readonly attempts: number
}

const PORT = 5432

/** @throws EngineError `E_POSTGRES_ADDRESS` (usage), which does not repeat the address: it may hold a password */
export function postgresTarget(settings: PostgresSettings): PostgresTarget {
  const { connectionString, ...given } = settings
  const said = connectionString === undefined ? {} : readConnectionString(connectionString)
  const { host = '127.0.0.1', port = PORT, user = 'postgres', password, ssl = false } = { ...given, ...said }
  const database = said.database ?? given.database ?? user
  return {
    ...{ host, port, user, database },
    password: password === undefined ? null : password instanceof Secret ? password : new Secret(password),
    ssl: ssl === false ? false : ssl === true ? { verify: true } : { verify: true, ...ssl },
    poolSize: settings.poolSize ?? 4,
    connectTimeoutMs: settings.connectTimeoutMs ?? 10_000,
    statementTimeoutMs: settings.statementTimeoutMs ?? 600_000,
    attempts: settings.attempts ?? 6,
  }
}

/** As a person would write it, without the password. */
export function postgresLocation({ host, port, user, database }: PostgresTarget): string {
  return `postgres://${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
}

type Said = Omit<PostgresSettings, 'connectionString' | 'ssl'> & { readonly ssl?: PostgresTarget['ssl'] }

function readConnectionString(given: string | Secret): Said {
  const url = parseUrl(given instanceof Secret ? given.reveal() : given)
  const database = decode(url.pathname.slice(1))
  return {
    ...(url.hostname === '' ? {} : { host: url.hostname.replace(/^\[|\]$/g, '') }),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { user: decode(url.username) }),
    ...(url.password === '' ? {} : { password: new Secret(decode(url.password)) }),
    ...(database === '' ? {} : { database }),
    ...tlsOf(url.searchParams),
  }
}

/** libpq's words; `require` encrypts and believes any certificate, as there. */
function tlsOf(parameters: URLSearchParams): { readonly ssl?: PostgresTarget['ssl'] } {
  const mode = parameters.get('sslmode')
  switch (mode) {
    case null:
      return {}
    case 'disable':
    case 'allow':
    case 'prefer':
      return { ssl: false }
    case 'require':
    case 'no-verify':
      return { ssl: { verify: false } }
    case 'verify-ca':
    case 'verify-full':
      return { ssl: { verify: true } }
    default:
      throw badAddress('its `sslmode` is none of disable, prefer, require, verify-full')
  }
}

function parseUrl(text: string): URL {
  if (!/^postgres(ql)?:\/\//.test(text)) throw badAddress('it does not begin with postgres://')
  try {
    return new URL(text)
  } catch {
    throw badAddress('it is not an address (special characters of a password are written %XX)')
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badAddress('a % in it is not followed by two digits')
  }
}

function badAddress(what: string): EngineError {
  return new EngineError(
    'E_POSTGRES_ADDRESS',
    'usage',
    `the address of the Postgres cannot be read: ${what}; expected postgres://user:password@host:port/database`,
  )
}
