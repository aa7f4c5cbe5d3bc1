import { type Command, InvalidArgumentError } from 'commander'
import { DEFAULT_LIMITS, type DqLimits } from '../../dq/dq-ports.ts'
import type { Digest } from '../../dq/row-digests.ts'
import { runChecks } from '../../dq/run-checks.ts'
import { CHECKS, type Check, type CheckResult, gravest, type Verdict } from '../../dq/verdict.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { createLogger } from '../io/logger.ts'
import { systemClock } from '../io/system-clock.ts'
import { checkedTables, openDq } from '../open-dq.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { dqResultLines } from './dq-result-lines.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { parseCount, parseNames, parseTime } from './option-values.ts'
import { toJson } from './output.ts'

/** Options of every command that compares. */
export interface DqOptions extends LakeOptions {
  readonly pipeline?: string
  readonly slot?: string
  readonly digest: Digest
  readonly wait: number
  readonly looks: number
  readonly rowsPerSecond?: number
  readonly maxLag: number
}

interface RunOptions extends DqOptions {
  readonly tables?: readonly string[]
  readonly checks: readonly Check[]
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
    .action(exiting(context, (options: RunOptions) => run(options, context)))
}

export function withDqOptions(command: Command): Command {
  return withLakeOptions(command)
    .option('--pipeline <name>', 'the pipeline that feeds the tables, where the configuration has several')
    .option('--slot <name>', "the connector's replication slot (default: what the configuration says)")
    .option('--digest <name>', 'md5, or sha256 where MD5 is refused', parseDigest, DEFAULT_LIMITS.digest)
    .option(
      '--wait <time>',
      'how long the lake may take to hold what the source has',
      parseTime,
      DEFAULT_LIMITS.waitMs,
    )
    .option(
      '--looks <count>',
      'how often rows that differ or move are looked at',
      parseLooks,
      DEFAULT_LIMITS.looksMax,
    )
    .option(
      '--rows-per-second <count>',
      'rows that are read of the source at most (default: no bound)',
      parseCount,
    )
    .option(
      '--max-lag <time>',
      'how old a change may be that the lake does not hold',
      parseTime,
      DEFAULT_LIMITS.lagMaxMs,
    )
}

async function run(options: RunOptions, context: CliContext): Promise<ExitCode> {
  const { stdout, stderr } = context
  const { config, store } = await openLakeOf(options, context)
  const pipeline = selectPipeline(config, options.pipeline === undefined ? {} : { name: options.pipeline })
  const logger = createLogger('warn', (line) => stderr.write(line))
  const settings = { config, pipeline, store, clock: systemClock, logger, slot: options.slot ?? null }
  await using dq = await openDq(settings)
  const tables = await checkedTables(dq, options.tables ?? null)
  const results: CheckResult[] = []
  for await (const result of runChecks(dq.ports, limitsOf(options), tables, options.checks)) {
    results.push(result)
    if (options.json !== true) for (const line of dqResultLines(result)) stdout.write(line)
  }
  const verdict = gravest(results.map((result) => result.verdict))
  if (options.json === true) stdout.write(`${toJson({ verdict, results })}\n`)
  else stdout.write(`\n${verdict}: ${results.length} checks of ${tables.length} tables\n`)
  return EXIT_OF[verdict]
}

/** What a verdict is to scripts: a stream that cannot carry all of a type is no fault of the lake. */
export const EXIT_OF: Readonly<Record<Verdict, ExitCode>> = {
  equal: EXIT.ok,
  'source-lossy': EXIT.ok,
  incomplete: EXIT.problem,
  deferred: EXIT.unclear,
  different: EXIT.problem,
}

export function limitsOf(options: DqOptions): DqLimits {
  return {
    ...DEFAULT_LIMITS,
    digest: options.digest,
    waitMs: options.wait,
    looksMax: options.looks,
    rowsPerSecond: options.rowsPerSecond ?? null,
    lagMaxMs: options.maxLag,
  }
}

function parseChecks(text: string): readonly Check[] {
  const names = parseNames(text)
  const unknown = names.find((name) => !(CHECKS as readonly string[]).includes(name))
  if (unknown === undefined) return names as readonly Check[]
  throw new InvalidArgumentError(`There is no check ${unknown}; there are ${CHECKS.join(', ')}.`)
}

function parseDigest(text: string): Digest {
  if (text === 'md5' || text === 'sha256') return text
  throw new InvalidArgumentError('It must be md5 or sha256.')
}

/** One look calls nothing different. */
function parseLooks(text: string): number {
  const looks = parseCount(text)
  if (looks >= 2) return looks
  throw new InvalidArgumentError('It must be 2 at least: nothing is called different after one look.')
}
