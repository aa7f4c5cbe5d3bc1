import { DEFAULT_LIMITS, type DqLimits, type DqPorts } from '../../dq/dq-ports.ts'
import { runChecks } from '../../dq/run-checks.ts'
import { NO_STREAM, type StreamBarrier } from '../../dq/stream-barrier.ts'
import type { Check, CheckResult } from '../../dq/verdict.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { openLake } from '../../src/open-lake.ts'
import type { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'

export interface DqQuestion {
  readonly lake: string
  readonly database: PostgresConnectionManager
  /** `schema.table`. */
  readonly table: string
  readonly check: Check
  readonly limits?: Partial<DqLimits>
  readonly barrier?: StreamBarrier
}

/** One check of one table of a lake on disk. */
export async function checkTable(question: DqQuestion): Promise<CheckResult> {
  const { lake, database, table, check, limits = {}, barrier = NO_STREAM } = question
  const store = await openLake(lake)
  const ports: DqPorts = { store, database, clock: systemClock, barrier, topics: null, pipeline: 'default' }
  const source = await database.getTableSchema(table)
  const checked = { name: table, source, path: table.replace('.', '/') }
  for await (const result of runChecks(ports, { ...DEFAULT_LIMITS, ...limits }, [checked], [check]))
    return result
  throw new Error('no result')
}
