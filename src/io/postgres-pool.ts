import type { SourceRow, SourceValue } from '../../core/ports.ts'
import type { PostgresTarget } from '../postgres/postgres-settings.ts'
import { copyOut } from './copy-out.ts'

/** One connection as the driver has it; errors are the driver's. */
export interface PostgresConnection {
  query(sql: string, values: readonly SourceValue[]): Promise<readonly SourceRow[]>
  /** What `COPY … TO STDOUT` sends, in pieces that end anywhere; who does not ask holds the server back. */
  copyOut(sql: string): AsyncIterable<Buffer>
  /** Back to the pool; `broken`: it is closed instead. */
  release(broken: boolean): void
}

export interface PostgresPool {
  connect(): Promise<PostgresConnection>
  close(): Promise<void>
}

/** Values stay the text that the database wrote. */
const AS_TEXT = { getTypeParser: () => (text: unknown) => text }

/** How long a connection that nobody needs is kept. */
const IDLE_MS = 10_000

/** Opens no connection yet; the driver is loaded only where it is needed. */
export async function openPostgresPool(target: PostgresTarget): Promise<PostgresPool> {
  const { default: pg } = await import('pg')
  const { host, port, user, password, database, ssl, poolSize, connectTimeoutMs, statementTimeoutMs } = target
  const pool = new pg.Pool({
    ...{ host, port, user, database },
    ...(password === null ? {} : { password: password.reveal() }),
    ssl: ssl === false ? false : tlsOptions(ssl),
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: statementTimeoutMs,
    application_name: 'alluvium',
    keepAlive: true,
    types: AS_TEXT as never,
  })
  // An idle connection that breaks is gone from the pool already; whoever asks next gets another one.
  pool.on('error', () => {})
  // One that breaks in somebody's hands, or while it is closed, tells it at the next question: no reason to die.
  pool.on('connect', (client) => client.on('error', () => {}))
  return {
    connect: async () => {
      const client = await pool.connect()
      return {
        query: async (sql, values) => (await client.query<SourceRow>(sql, [...values])).rows,
        copyOut: (sql) => copyOut(client, sql),
        release: (broken) => client.release(broken),
      }
    },
    close: () => pool.end(),
  }
}

function tlsOptions({ ca, serverName, verify }: Exclude<PostgresTarget['ssl'], false>): object {
  return {
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  }
}
