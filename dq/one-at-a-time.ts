import type { SourceDatabase } from '../core/ports.ts'

/** Names the lock among those that applications take by number: the letters of its name. */
const LOCK = 0x64_71_72_75

/**
 * Does heavy work on a database unless another process does so already: an advisory lock, which locks no table and ends
 * with its connection.
 *
 * @returns whether it was done
 */
export function oneAtATime(database: SourceDatabase, work: () => Promise<void>): Promise<boolean> {
  return database.session(async (session) => {
    const [row] = await session.query('dq.turn', 'SELECT pg_try_advisory_lock($1) AS taken', [LOCK])
    if (row!['taken'] !== 't') return false
    await work()
    await session.query('dq.turn', 'SELECT pg_advisory_unlock($1)', [LOCK])
    return true
  })
}
