import type { CheckedTable } from './checked-table.ts'
import type { DqLimits, DqPorts } from './dq-ports.ts'
import type { WithTaker } from './repair.ts'
import { QUIET, runChecks } from './run-checks.ts'
import type { CheckResult } from './verdict.ts'

/**
 * Brings the values of columns that a table calls incomplete, as a repair does that compares them too. When nothing differs any
 * more, the table is told so; what is found then is the proof: a row that was left without a value in between would differ.
 *
 * @param columns as the source calls them
 * @returns the results of the repair, then that of the proof
 * @throws EngineError as `runChecks` does
 */
export async function* fillColumns(
  ports: DqPorts,
  limits: DqLimits,
  table: CheckedTable,
  columns: readonly string[],
  withTaker: WithTaker,
): AsyncGenerator<CheckResult> {
  let last: CheckResult | null = null
  const filling = { ...table, filling: columns }
  for await (const result of runChecks(ports, limits, [filling], ['checksum'], withTaker)) {
    yield result
    last = result
  }
  const { verdict, snapshot } = last!
  if (!QUIET.includes(verdict)) return
  await withTaker(table, async (taker) => {
    const watch = await taker.watch()
    return taker.give({ watch, snapshot: snapshot!, rows: [], complete: columns })
  })
  yield* runChecks(ports, limits, [table], ['checksum'])
}
