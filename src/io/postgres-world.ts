import { openPostgresPool } from './postgres-pool.ts'
import { systemClock } from './system-clock.ts'
import { systemRandom } from './system-random.ts'

/** What `PostgresConnectionManager` asks of the world when nobody says otherwise. */
export const postgresWorld = { clock: systemClock, random: systemRandom, openPool: openPostgresPool }
