import type { SourceDatabase, SourceSession } from '../../core/ports.ts'
import { PINNED_SETTINGS } from '../../dq/source-settings.ts'
import { quoteTable } from '../../schemas/postgres-name.ts'
import type { LoadPart } from '../../writers/backfill/backfill-state.ts'
import type { CopySession, PostgresConnectionManager } from '../postgres/connection-manager.ts'

/**
 * One moment of the source that many connections look at. A plain exported snapshot, and not that of a replication slot:
 * it needs no right to replicate and waits for nobody, and it is by ids of transactions that the stream is told from it
 * (`SeenByBackfill`), whatever stands where in the log.
 */
export class SourceSnapshot {
  /** `pg_current_snapshot()` */
  readonly text: string
  /** All that it sees stands in the log below it. */
  readonly lsn: bigint
  /** When it was taken, by the clock of the source. */
  readonly takenAtUs: bigint
  readonly #name: string
  readonly #database: PostgresConnectionManager
  readonly #holder: SourceSession

  private constructor(
    database: PostgresConnectionManager,
    holder: SourceSession,
    taken: Pick<SourceSnapshot, 'text' | 'lsn' | 'takenAtUs'> & { readonly name: string },
  ) {
    this.text = taken.text
    this.lsn = taken.lsn
    this.takenAtUs = taken.takenAtUs
    this.#name = taken.name
    this.#database = database
    this.#holder = holder
  }

  /** Holds a new snapshot for the time of `work`: the source keeps what it sees for so long. */
  static hold<T>(
    database: PostgresConnectionManager,
    work: (snapshot: SourceSnapshot) => Promise<T>,
  ): Promise<T> {
    return database.session(async (holder) => {
      await holder.query('backfill.begin', BEGIN)
      await holder.query('backfill.settings', UNHURRIED)
      const [row] = await holder.query('backfill.snapshot', TAKE)
      const taken = {
        text: row!['snapshot']!,
        lsn: BigInt(row!['lsn']!),
        takenAtUs: BigInt(row!['now']!),
        name: row!['name']!,
      }
      const found = await work(new SourceSnapshot(database, holder, taken))
      await holder.query('backfill.end', 'COMMIT')
      return found
    })
  }

  /** Another connection that sees the same, for the time of `work`. */
  session<T>(work: (session: CopySession) => Promise<T>): Promise<T> {
    return this.#database.session(async (session) => {
      await this.#enter(session)
      const found = await work(session)
      await session.query('backfill.end', 'COMMIT')
      return found
    })
  }

  /** The database as whoever compares asks it: each transaction sees this moment. */
  asDatabase(): SourceDatabase {
    const database = this.#database
    const enter = (session: SourceSession) => this.#import(session)
    return {
      location: database.location,
      query: (site, sql, values) => database.query(site, sql, values),
      describeTable: (name) => database.describeTable(name),
      close: async () => {},
      session: (work) =>
        database.session((session) =>
          work({
            query: async (site, sql, values) => {
              const rows = await session.query(site, sql, values)
              if (sql.startsWith('BEGIN')) await enter(session)
              return rows
            },
          }),
        ),
    }
  }

  /** Tables that hold the rows of a table, as large as they were when it was taken, or a little larger. */
  async parts(table: { readonly schema: string; readonly table: string }): Promise<readonly LoadPart[]> {
    const rows = await this.#holder.query('backfill.parts', PARTS, [quoteTable(table)])
    return rows.map((row) => ({
      schema: row['schema']!,
      table: row['name']!,
      storage: row['storage']!,
      blocks: Number(row['blocks']),
    }))
  }

  async #enter(session: SourceSession): Promise<void> {
    await session.query('backfill.begin', BEGIN)
    await this.#import(session)
    await session.query('backfill.pin', PINNED_SETTINGS)
  }

  async #import(session: SourceSession): Promise<void> {
    await session.query('backfill.import', `SET TRANSACTION SNAPSHOT '${this.#name}'`)
    await session.query('backfill.settings', UNHURRIED)
  }
}

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'

/** A limit of ours on rows a second makes statements long. Rows that a policy hides are an error, and not left out. */
const UNHURRIED = `SELECT set_config('statement_timeout', '0', true), set_config('row_security', 'off', true),
  set_config('idle_in_transaction_session_timeout', '0', true)`

const TAKE = `
SELECT pg_current_snapshot()::text AS snapshot, pg_export_snapshot() AS name,
       (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                            ELSE pg_current_wal_insert_lsn() END, '0/0')::text AS lsn`

const PARTS = `
SELECT n.nspname AS schema, c.relname AS name, pg_relation_filenode(c.oid) AS storage,
       pg_relation_size(c.oid) / current_setting('block_size')::int8 AS blocks
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND (c.oid = $1::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass)))
 ORDER BY 1, 2`
