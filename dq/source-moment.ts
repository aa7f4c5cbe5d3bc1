import type { SourceDatabase, SourceSession } from '../core/ports.ts'
import { type Visibility, visibilityOf } from '../schemas/visibility.ts'
import { PINNED_SETTINGS } from './source-settings.ts'

/** One moment of the source: all that is asked through `session` is of it. Takes no lock and writes nothing. */
export interface SourceMoment {
  readonly session: SourceSession
  readonly visibility: Visibility
  /** Where the source's log stood before it. */
  readonly place: SourcePlace
  /** To be called every few seconds while nothing is asked, or the server may end the transaction. */
  stayOpen(): Promise<void>
}

/** A place in the source's log, and when the source was there. */
export interface SourcePlace {
  /** `16/B374D848` */
  readonly lsn: string
  /** Milliseconds, by the clock of the source. */
  readonly atMs: number
}

/** Of a server that follows another one: what it has replayed. */
const PLACE = `
SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END)::text AS lsn,
       floor(extract(epoch FROM clock_timestamp()) * 1000)::int8 AS at`

/** Holds one moment of the source for the time of `work`. */
export function atSourceMoment<T>(
  database: SourceDatabase,
  work: (moment: SourceMoment) => Promise<T>,
): Promise<T> {
  return database.session(async (session) => {
    const [place] = await session.query('dq.place', PLACE)
    await session.query('dq.begin', 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await session.query('dq.pin', PINNED_SETTINGS)
    const [row] = await session.query('dq.moment', 'SELECT pg_current_snapshot()::text AS snapshot')
    let asked = 0
    const query: SourceSession['query'] = async (...question) => {
      asked++
      try {
        return await session.query(...question)
      } finally {
        asked--
      }
    }
    const stayOpen = async () => {
      if (asked === 0) await query('dq.wait', 'SELECT 1')
    }
    const visibility = visibilityOf(row!['snapshot']!)
    const at = { lsn: place!['lsn']!, atMs: Number(place!['at']) }
    const found = await work({ session: { query }, visibility, place: at, stayOpen })
    await session.query('dq.end', 'COMMIT')
    return found
  })
}
