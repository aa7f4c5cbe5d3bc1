import type { Command } from 'commander'
import { EngineError, messageOf } from '../../core/errors.ts'
import { oneAtATime } from '../../dq/one-at-a-time.ts'
import { ProofLog, readProofs } from '../../dq/proof-log.ts'
import { runChecks } from '../../dq/run-checks.ts'
import { runSchedule } from '../../dq/schedule.ts'
import type { Check, CheckResult } from '../../dq/verdict.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { nextRunMs } from '../io/cron.ts'
import { createLogger } from '../io/logger.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import { checkedTables, openDq } from '../open-dq.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { type DqOptions, limitsOf, withDqOptions } from './dq-options.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { openLakeOf } from './lake-options.ts'
import { openTablePorts } from './open-table-ports.ts'
import { parseNames } from './option-values.ts'

/** Checks that are looked back at to find when each was last begun. */
const LOOKED_BACK = 1_000

interface ScheduleOptions extends DqOptions {
  readonly tables?: readonly string[]
}

/** `alluvium dq schedule` */
export function registerDqSchedule(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'schedule',
    summary:
      'run checks when the cron lines of `dq.schedule` say so, until it is told to end; results lie in _dq/runs',
    example: 'dq schedule -c alluvium.yaml',
  })
  withDqOptions(command)
    .option(
      '--tables <names>',
      'these only: schema.table,schema.table (default: all of the lake)',
      parseNames,
    )
    .action(exiting(context, (options: ScheduleOptions) => schedule(options, context)))
}

async function schedule(options: ScheduleOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const { config, store } = lake
  const pipeline = selectPipeline(config, { name: options.pipeline })
  if (Object.keys(config.dq.schedule).length === 0) throw noSchedule()
  const logger = createLogger('info', (line) => context.stderr.write(line))
  await using dq = await openDq({
    config,
    pipeline,
    store,
    clock: systemClock,
    logger,
    slot: options.slot ?? null,
  })
  const log = new ProofLog(await openTablePorts(lake, context), pipeline.name)
  const limits = limitsOf(options)
  const lastRunsMs = new Map<Check, number>()
  for (const { check, startedMs } of (await readProofs(store, LOOKED_BACK)).toReversed()) {
    lastRunsMs.set(check, startedMs)
  }
  const run = async (check: Check): Promise<void> => {
    const startedMs = systemClock.nowMs()
    const results: CheckResult[] = []
    const tables = await checkedTables(dq, options.tables ?? null)
    const isDone = await oneAtATime(dq.database, async () => {
      for await (const result of runChecks(dq.ports, limits, tables, [check])) results.push(result)
    })
    if (!isDone) return logger.info({ check }, 'another process proves tables of this database; left to it')
    for (const { table, verdict, mismatchCount, deferred, detail, durationMs } of results) {
      const fields = {
        check,
        table,
        verdict,
        mismatches: mismatchCount,
        deferred,
        detail,
        ms: Math.round(durationMs),
      }
      if (verdict === 'different' || verdict === 'incomplete')
        logger.error(fields, 'the lake is not the source')
      else logger.info(fields, 'checked')
    }
    await log.write(systemRandom.uuid(), startedMs, results)
  }
  const signals = abortOnSignals()
  try {
    const plan = { lines: config.dq.schedule, nextRunMs, lastRunsMs }
    const ports = { clock: systemClock, random: systemRandom, signal: signals.signal }
    await runSchedule(plan, ports, (check) => run(check).catch((error) => tellBadDay(error, check)))
  } finally {
    signals.release()
  }
  return signals.exitCode() ?? EXIT.ok

  /** What may be better at the next time is told and waited for. */
  function tellBadDay(error: unknown, check: Check): void {
    if (!(error instanceof EngineError) || error.remedy === 'usage') throw error
    logger.error({ check, code: error.code }, messageOf(error))
  }
}

function noSchedule(): EngineError {
  const example = 'dq: { schedule: { row-count: "* * * * *", checksum: "0 3 * * *" } }'
  return new EngineError(
    'E_NO_SCHEDULE',
    'usage',
    `nothing is scheduled; add to the configuration: ${example}`,
  )
}
