import { type Command, InvalidArgumentError } from 'commander'
import { EngineError } from '../../core/errors.ts'
import { ProofLog } from '../../dq/proof-log.ts'
import { runChecks } from '../../dq/run-checks.ts'
import { CHECKS, type Check, type CheckResult, gravest, type Verdict } from '../../dq/verdict.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import { checkedTables, openDq } from '../open-dq.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { type DqOptions, limitsOf, withDqOptions } from './dq-options.ts'
import { dqResultLines } from './dq-result-lines.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { openLakeOf } from './lake-options.ts'
import { takersOf } from './moment-rows-taker.ts'
import { openTablePorts } from './open-table-ports.ts'
import { parseNames } from './option-values.ts'
import { toJson } from './output.ts'

interface RunOptions extends DqOptions {
  readonly tables?: readonly string[]
  readonly checks: readonly Check[]
  readonly record: boolean
  readonly repair?: boolean
}

/** `alluvium dq run` */
export function registerDqRun(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'run',
    summary:
      'compare tables with the source, to the row, while both go on changing; exit 0 equal, 2 different, 3 could not tell',
    example: 'dq run --tables public.customers --checks row-count,checksum',
  })
  withDqOptions(command)
    .option(
      '--tables <names>',
      'these only: schema.table,schema.table (default: all of the lake)',
      parseNames,
    )
    .option('--checks <names>', `of ${CHECKS.join(', ')}`, parseChecks, CHECKS)
    .option(
      '--repair',
      'write what the source has where rows differ, through the owner of the table; then check again',
    )
    .option('--no-record', 'do not add the results to _dq/runs and _dq/mismatches of the lake')
    .action(exiting(context, (options: RunOptions) => run(options, context)))
}

async function run(options: RunOptions, context: CliContext): Promise<ExitCode> {
  const { stdout, stderr } = context
  if (options.repair === true && !options.checks.includes('checksum')) throw nothingToRepair()
  const lake = await openLakeOf(options, context)
  const { config, store } = lake
  const pipeline = selectPipeline(config, { name: options.pipeline })
  const logger = commandLogger({ stderr })
  const settings = { config, pipeline, store, clock: systemClock, logger, slot: options.slot ?? null }
  await using dq = await openDq(settings)
  const tables = await checkedTables(dq, options.tables ?? null)
  const ports = options.record || options.repair === true ? await openTablePorts(lake, context) : null
  const results: CheckResult[] = []
  const startedMs = systemClock.nowMs()
  // A table that is held for its repair is let go of; what only reads may end at once.
  const signals = options.repair === true ? abortOnSignals() : null
  try {
    const ask = signals === null ? null : { waitMs: options.wait, signal: signals.signal }
    const through = ask === null ? null : takersOf(ports!, pipeline, dq.topics, ask)
    for await (const result of runChecks(dq.ports, limitsOf(options), tables, options.checks, through)) {
      results.push(result)
      if (options.json !== true) for (const line of dqResultLines(result)) stdout.write(line)
      if (signals?.signal.aborted === true) break
    }
  } finally {
    signals?.release()
  }
  if (options.record) await new ProofLog(ports!, pipeline.name).write(systemRandom.uuid(), startedMs, results)
  const verdict = gravest(results.filter(isLast).map((result) => result.verdict))
  if (options.json === true) stdout.write(`${toJson({ verdict, results })}\n`)
  else stdout.write(`\n${verdict}: ${results.length} checks of ${tables.length} tables\n`)
  return signals?.exitCode() ?? EXIT_OF[verdict]
}

/** What was found before a repair is over with it. */
function isLast(result: CheckResult, at: number, results: readonly CheckResult[]): boolean {
  const next = results[at + 1]
  return (
    next === undefined || next.repair === null || next.table !== result.table || next.check !== result.check
  )
}

function nothingToRepair(): EngineError {
  return new EngineError(
    'E_NO_CHECK',
    'usage',
    '--repair goes by what the checksum finds: add it to --checks',
  )
}

/** What a verdict is to scripts: a stream that cannot carry all of a type is no fault of the lake. */
export const EXIT_OF: Readonly<Record<Verdict, ExitCode>> = {
  equal: EXIT.ok,
  'source-lossy': EXIT.ok,
  incomplete: EXIT.problem,
  deferred: EXIT.unclear,
  different: EXIT.problem,
}

function parseChecks(text: string): readonly Check[] {
  const names = parseNames(text)
  const unknown = names.find((name) => !(CHECKS as readonly string[]).includes(name))
  if (unknown === undefined) return names as readonly Check[]
  throw new InvalidArgumentError(`There is no check ${unknown}; there are ${CHECKS.join(', ')}.`)
}
