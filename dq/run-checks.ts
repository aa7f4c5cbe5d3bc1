import { EngineError } from '../core/errors.ts'
import { checkChecksum } from './check-checksum.ts'
import { checkLag } from './check-lag.ts'
import { checkRowCount } from './check-row-count.ts'
import { checkSchema } from './check-schema.ts'
import { type CheckedTable, newestVersion } from './checked-table.ts'
import type { DqLimits, DqPorts } from './dq-ports.ts'
import type { Check, CheckResult, Found } from './verdict.ts'

/**
 * Checks tables one after the other, each by all checks that are asked for: one heavy statement at a time runs on the
 * source.
 *
 * An error of one table (a file that is gone, a statement that took too long) is its result: it could not be told.
 *
 * @throws EngineError (stop, usage) what holds for all tables: a login that is refused, a slot that is not there
 */
export async function* runChecks(
  ports: DqPorts,
  limits: DqLimits,
  tables: readonly CheckedTable[],
  checks: readonly Check[],
): AsyncGenerator<CheckResult> {
  for (const table of tables) {
    for (const check of checks) {
      const startMs = ports.clock.monotonicMs()
      const found = await foundBy(check, ports, limits, table)
      yield {
        ...NOTHING,
        ...found,
        table: table.name,
        check,
        durationMs: ports.clock.monotonicMs() - startMs,
      }
    }
  }
}

const NOTHING: Omit<CheckResult, 'table' | 'check' | 'verdict' | 'durationMs'> = {
  detail: null,
  version: null,
  snapshot: null,
  sourceRows: null,
  lakeRows: null,
  buckets: 0,
  mismatchCount: 0,
  mismatches: [],
  deferred: 0,
  lagMs: null,
  looks: 1,
  notes: [],
}

async function foundBy(check: Check, ports: DqPorts, limits: DqLimits, table: CheckedTable): Promise<Found> {
  try {
    return await CHECKERS[check](ports, limits, table)
  } catch (error) {
    const isOfTable = error instanceof EngineError && !['stop', 'usage'].includes(error.remedy)
    if (!isOfTable) throw error
    return { verdict: 'deferred', detail: error.message }
  }
}

type Checker = (ports: DqPorts, limits: DqLimits, table: CheckedTable) => Promise<Found>

const CHECKERS: Readonly<Record<Check, Checker>> = {
  schema: async (ports, _, table) => checkSchema(table.source, await newestVersion(ports, table)),
  'row-count': checkRowCount,
  checksum: checkChecksum,
  lag: async (ports, { lagMaxMs }, table) => {
    const { topics } = ports
    if (topics === null) return { verdict: 'deferred', detail: 'the topics of the pipeline cannot be asked' }
    return checkLag({ ...ports, topics }, await newestVersion(ports, table), lagMaxMs)
  },
}
