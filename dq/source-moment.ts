import type { SourceDatabase, SourceSession } from '../core/ports.ts'
import { type Visibility, visibilityOf } from '../schemas/visibility.ts'
import { PINNED_SETTINGS } from './source-settings.ts'

/** One moment of the source: all that is asked through `session` is of it. Takes no lock and writes nothing. */
export interface SourceMoment {
  readonly session: SourceSession
  readonly visibility: Visibility
  /** To be called every few seconds while nothing is asked, or the server may end the transaction. */
  stayOpen(): Promise<void>
}

/** Holds one moment of the source for the time of `work`. */
export function atSourceMoment<T>(
  database: SourceDatabase,
  work: (moment: SourceMoment) => Promise<T>,
): Promise<T> {
  return database.session(async (session) => {
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
    const found = await work({ session: { query }, visibility, stayOpen })
    await session.query('dq.end', 'COMMIT')
    return found
  })
}
