import { EngineError } from '../core/errors.ts'
import { checkChecksum } from './check-checksum.ts'
import { checkLag } from './check-lag.ts'
import { checkRowCount } from './check-row-count.ts'
import { checkSchema } from './check-schema.ts'
import { type CheckedTable, newestVersion } from './checked-table.ts'
import type { DqLimits, DqPorts } from './dq-ports.ts'
import { repairRows, type WithTaker } from './repair.ts'
import type { Check, CheckResult, Found, Verdict } from './verdict.ts'

/**
 * Checks tables one after the other, each by all checks that are asked for: one heavy statement at a time runs on the
 * source.
 *
 * With `repairThrough`, rows that a check finds to differ are repaired, and the check is made again: its next result tells what
 * was done and what came of it. So it goes on while rows differ and any of them is written.
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
  repairThrough: WithTaker | null = null,
): AsyncGenerator<CheckResult> {
  for (const table of tables) {
    for (const check of checks) {
      let found = await timed(check, ports, limits, table)
      yield found.result
      for (let repairs = 0; repairThrough !== null && repairs < REPAIRS_MAX; repairs++) {
        if (found.differing.size === 0) break
        const repair = await repairRows(ports, limits, table, found.differing, repairThrough)
        found = await timed(check, ports, limits, table)
        const { result } = found
        yield { ...result, repair: { ...repair, verified: QUIET.includes(result.verdict) } }
        if (repair.inserted + repair.updated + repair.deleted === 0) break
      }
    }
  }
}

/** Nothing was found to differ. */
export const QUIET: readonly Verdict[] = ['equal', 'source-lossy', 'incomplete']

/** More rows may differ than one check tells of (`DqLimits.rowsHeldMax`). */
const REPAIRS_MAX = 20

interface Timed {
  readonly result: CheckResult
  /** Keys that differ. */
  readonly differing: ReadonlySet<string>
}

async function timed(check: Check, ports: DqPorts, limits: DqLimits, table: CheckedTable): Promise<Timed> {
  const startMs = ports.clock.monotonicMs()
  const { differing = new Set<string>(), ...found } = await foundBy(check, ports, limits, table)
  const durationMs = ports.clock.monotonicMs() - startMs
  return { result: { ...NOTHING, ...found, table: table.name, check, durationMs }, differing }
}

const NOTHING: Omit<CheckResult, 'table' | 'check' | 'verdict' | 'durationMs'> = {
  detail: null,
  version: null,
  snapshot: null,
  verifiedThrough: null,
  sourceRows: null,
  lakeRows: null,
  buckets: 0,
  mismatchCount: 0,
  mismatches: [],
  deferred: 0,
  lagMs: null,
  looks: 1,
  notes: [],
  repair: null,
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
