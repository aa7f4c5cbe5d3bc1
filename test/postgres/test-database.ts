import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'
import { startEmbeddedCluster } from './embedded-cluster.ts'

/** A database of a test file's own. */
export interface TestDatabase {
  readonly url: string
  /** Why there is none; a suite skips itself and says so. */
  readonly missing: string | null
  /** Statements as superuser; values are parsed as the driver does it. */
  query(sql: string, values?: readonly unknown[]): Promise<pg.QueryResult>
  close(): Promise<void>
}

/** Names a server that is there already; without it the one of npm is started, once a run. */
const SERVER = 'ALLUVIUM_TEST_POSTGRES'

let databases = 0

/** An empty database on the server that `ALLUVIUM_TEST_POSTGRES` names, else on the embedded one. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const server = await serverAddress()
  if (server instanceof Error) return missing(server)
  const name = `test_${process.pid}_${++databases}_${Date.now().toString(36)}`
  await asSuperuser(server, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const pool = new pg.Pool({ connectionString: url.href, max: 4 })
  // The pool does not wait until its connections are gone: dropping the database may end one that is closing.
  pool.on('connect', (client) => client.on('error', () => {}))
  return {
    url: url.href,
    missing: null,
    query: (sql, values = []) => pool.query(sql, [...values]),
    close: async () => {
      await pool.end()
      await asSuperuser(server, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

async function asSuperuser(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(sql)
  await client.end()
}

function missing(error: Error): TestDatabase {
  const refuse = () => Promise.reject(error)
  return { url: '', missing: error.message, query: refuse, close: () => Promise.resolve() }
}

/** The first who asks starts the server, the others wait for it. */
async function serverAddress(): Promise<string | Error> {
  const given = process.env[SERVER]
  if (given !== undefined) return given
  const home = inject('postgresHome')
  const address = join(home, 'address')
  const failure = join(home, 'failure')
  try {
    mkdirSync(join(home, 'starting'))
  } catch {
    while (!existsSync(address) && !existsSync(failure)) await pause(50)
    return existsSync(address) ? readFileSync(address, 'utf8') : new Error(readFileSync(failure, 'utf8'))
  }
  try {
    const url = await startEmbeddedCluster(home)
    writeFileSync(address, url)
    return url
  } catch (error) {
    const reason = `the embedded Postgres does not start here: ${String(error)}`
    writeFileSync(failure, reason)
    console.warn(reason)
    return new Error(reason)
  }
}
