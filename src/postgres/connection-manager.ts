import { EngineError } from '../../core/errors.ts'
import type {
  Clock,
  Random,
  SourceDatabase,
  SourceRow,
  SourceSession,
  SourceTable,
  SourceTableName,
  SourceValue,
} from '../../core/ports.ts'
import { parseTableName, quoteTable } from '../../schemas/postgres-name.ts'
import type { PostgresConnection, PostgresPool } from '../io/postgres-pool.ts'
import { postgresWorld } from '../io/postgres-world.ts'
import { type CdcReadiness, readCdcReadiness } from './cdc-readiness.ts'
import { toPostgresError } from './postgres-error.ts'
import {
  type PostgresSettings,
  type PostgresTarget,
  postgresLocation,
  postgresTarget,
} from './postgres-settings.ts'
import { listSourceTables, readRowEstimate, readSourceTable } from './table-catalog.ts'

/** What is asked of the world. */
export interface PostgresPorts {
  readonly clock: Clock
  readonly random: Random
  openPool(target: PostgresTarget): Promise<PostgresPool>
}

/** A connection that can also be asked for many rows at once. */
export interface CopySession extends SourceSession {
  /**
   * Runs `COPY … TO STDOUT`. The connection is of no more use when not all of it is taken.
   *
   * @returns what the server sends, in pieces that end anywhere; who does not ask for the next one holds it back
   */
  copyOut(site: string, sql: string): AsyncIterable<Buffer>
}

const BACKOFF_MS = 100
const BACKOFF_MS_MAX = 5_000

/**
 * A Postgres and a pool of connections to it. No connection is opened before the first question. A bad day (no answer,
 * too many connections, a server that starts) is waited out with growing, jittered pauses; a login that is not accepted
 * fails at once. No error and no printed form of it shows the password.
 *
 * @example
 * await using manager = new PostgresConnectionManager({ host: 'localhost', user: 'cdcuser', password, database: 'cdcdb' })
 * const table = await manager.getTableSchema('customers')
 * const count = await manager.getTableCount('customers')
 * const { isReady, problems } = await manager.checkCdcReadiness()
 */
export class PostgresConnectionManager implements SourceDatabase {
  readonly location: string
  readonly #target: PostgresTarget
  readonly #ports: PostgresPorts
  #pool: Promise<PostgresPool> | null = null
  #isClosed = false

  /** @throws EngineError `E_POSTGRES_ADDRESS` (usage) */
  constructor(settings: PostgresSettings, ports: PostgresPorts = postgresWorld) {
    this.#target = postgresTarget(settings)
    this.location = postgresLocation(this.#target)
    this.#ports = ports
  }

  /** @throws EngineError `E_POSTGRES_…`: see `docs/guide/errors.md` */
  query(site: string, sql: string, values: readonly SourceValue[] = []): Promise<readonly SourceRow[]> {
    return this.#retrying(site, () => this.#once(site, (session) => session.query(site, sql, values)))
  }

  async session<T>(work: (session: CopySession) => Promise<T>): Promise<T> {
    const connection = await this.#retrying('connect', () => this.#connect('connect'))
    return this.#with(connection, work)
  }

  describeTable(name: SourceTableName): Promise<SourceTable | null> {
    return readSourceTable(this, name)
  }

  /**
   * Columns, key, replica identity and partitions of a table.
   *
   * @param name `schema.table`; `public` when there is no schema
   * @throws EngineError `E_NO_SOURCE_TABLE` (usage)
   */
  async getTableSchema(name: string): Promise<SourceTable> {
    const found = await readSourceTable(this, parseTableName(name))
    if (found === null) throw noTable(name, this.location)
    return found
  }

  /** Rows by `count(*)`, which reads the whole table. */
  async getTableCount(name: string): Promise<bigint> {
    const sql = `SELECT count(*) AS rows FROM ${quoteTable(parseTableName(name))}`
    const [row] = await this.query('catalog.count', sql)
    return BigInt(row!['rows']!)
  }

  /** Rows as the planner estimates them, at no cost; `null`: the table was never analysed. */
  getTableEstimate(name: string): Promise<bigint | null> {
    return readRowEstimate(this, parseTableName(name))
  }

  /** Names of ordinary and partitioned tables, as `schema.table`; leaves of partitioned ones are not among them. */
  listTables(): Promise<readonly string[]> {
    return listSourceTables(this)
  }

  /** What stands in the way of a Debezium connector, and how it is cured. */
  checkCdcReadiness(): Promise<CdcReadiness> {
    return readCdcReadiness(this)
  }

  /** Waits for statements that run; more than once does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await (await this.#pool)?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  toString(): string {
    return this.location
  }

  async #once<T>(site: string, work: (session: CopySession) => Promise<T>): Promise<T> {
    return this.#with(await this.#connect(site), work)
  }

  async #connect(site: string): Promise<PostgresConnection> {
    if (this.#isClosed) throw closed(this.location)
    try {
      this.#pool ??= this.#ports.openPool(this.#target)
      return await (await this.#pool).connect()
    } catch (error) {
      throw toPostgresError(error, this.#target, site)
    }
  }

  /** A connection of which a statement failed is not believed any more. */
  async #with<T>(connection: PostgresConnection, work: (session: CopySession) => Promise<T>): Promise<T> {
    let isBroken = false
    const failed = (error: unknown, site: string): EngineError => {
      isBroken = true
      return toPostgresError(error, this.#target, site)
    }
    const query: CopySession['query'] = async (site, sql, values = []) => {
      try {
        return await connection.query(`/* alluvium ${site} */ ${sql}`, values)
      } catch (error) {
        throw failed(error, site)
      }
    }
    async function* copyOut(site: string, sql: string): AsyncGenerator<Buffer> {
      try {
        yield* connection.copyOut(`/* alluvium ${site} */ ${sql}`)
      } catch (error) {
        throw failed(error, site)
      }
    }
    try {
      return await work({ query, copyOut })
    } catch (error) {
      isBroken = true
      throw error
    } finally {
      connection.release(isBroken)
    }
  }

  async #retrying<T>(site: string, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt()
      } catch (error) {
        const { remedy } = toPostgresError(error, this.#target, site)
        if (remedy !== 'retry' || tries >= this.#target.attempts) throw error
      }
      await this.#ports.clock.sleep(this.#pauseMs(tries))
    }
  }

  /** Between half of a growing ceiling and all of it, so that many who wait do not come back together. */
  #pauseMs(tries: number): number {
    const ceilingMs = Math.min(BACKOFF_MS * 2 ** Math.min(tries - 1, 16), BACKOFF_MS_MAX)
    const share = this.#ports.random.bytes(1)[0]! / 255
    return (ceilingMs / 2) * (1 + share)
  }
}

function noTable(name: string, location: string): EngineError {
  return new EngineError(
    'E_NO_SOURCE_TABLE',
    'usage',
    `there is no table ${name} in ${location}, or the login may not see it; name it as schema.table, as the database ` +
      'writes it',
  )
}

function closed(location: string): EngineError {
  return new EngineError('E_POSTGRES_CLOSED', 'stop', `${location} was closed and cannot be asked any more`)
}
