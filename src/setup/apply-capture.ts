import { EngineError } from '../../core/errors.ts'
import type { Clock, SourceDatabase } from '../../core/ports.ts'
import { parseTableName } from '../../schemas/postgres-name.ts'
import type { CapturePlan } from './capture-plan.ts'

/** How often and how long is asked before it is given up. */
export interface Patience {
  readonly attempts: number
  readonly intervalMs: number
  /** Told once, before the first pause: what is waited for. */
  readonly onWait?: (what: string) => void
}

/**
 * Waits until the server answers. A login that it does not accept is no reason to wait.
 *
 * @throws EngineError of the last attempt, or the first that waiting does not cure
 */
export async function awaitServer(database: SourceDatabase, patience: Patience, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await database.query('setup.wait', 'SELECT 1')
      return
    } catch (error) {
      const isBadDay = error instanceof EngineError && error.remedy === 'retry'
      if (!isBadDay) throw error
      if (attempt >= patience.attempts) {
        throw new EngineError(
          error.code,
          'stop',
          `${database.location} does not answer after ${attempt} attempts: ${error.message}`,
          {},
          error,
        )
      }
      if (attempt === 1) patience.onWait?.(`${database.location} does not answer: ${error.message}`)
    }
    await clock.sleep(patience.intervalMs)
  }
}

/** @throws EngineError `E_NO_SOURCE_TABLE` (usage) when the table has not been made by then */
export async function awaitTable(
  database: SourceDatabase,
  name: string,
  patience: Patience,
  clock: Clock,
): Promise<void> {
  for (let attempt = 1; (await database.describeTable(parseTableName(name))) === null; attempt++) {
    if (attempt >= patience.attempts) {
      throw new EngineError(
        'E_NO_SOURCE_TABLE',
        'usage',
        `table ${name} not found in ${database.location} after ${attempt} attempts: let the application make its tables first, or look at the name`,
      )
    }
    if (attempt === 1) patience.onWait?.(`there is no table ${name} in ${database.location} yet`)
    await clock.sleep(patience.intervalMs)
  }
}

/** Does what a plan says: its statements all or none, then the slot. */
export async function applyCapture(database: SourceDatabase, plan: CapturePlan): Promise<void> {
  await database.session(async (session) => {
    if (plan.statements.length > 0) {
      await session.query('setup.begin', 'BEGIN')
      for (const { sql } of plan.statements) await session.query('setup.apply', sql)
      await session.query('setup.commit', 'COMMIT')
    }
    if (plan.slot !== null) await session.query('setup.slot', plan.slot.sql)
  })
}
