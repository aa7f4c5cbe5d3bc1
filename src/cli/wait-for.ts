import { type Command, InvalidArgumentError } from 'commander'
import { parseLsn } from '../../dq/stream-barrier.ts'
import { type TableReached, waitForPlace } from '../../dq/wait-for.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import { checkedTables, openDq } from '../open-dq.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { parseNames, parseTime } from './option-values.ts'
import { printable, toJson } from './output.ts'

const TIMEOUT_MS = 60_000

interface WaitForOptions extends LakeOptions {
  /** `null`: where the source is now. */
  readonly lsn: bigint | null
  readonly tables?: readonly string[]
  readonly timeout: number
  readonly pipeline?: string
  readonly slot?: string
}

/** `alluvium wait-for` */
export function registerWaitFor(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'wait-for',
    summary:
      'wait until tables hold everything that the source had committed at a place in its log; exit 3 when the time ran out',
    example: 'wait-for --lsn 16/B374D848 --tables public.orders --timeout 2m',
  })
  withLakeOptions(command)
    .requiredOption('--lsn <place>', 'as pg_current_wal_lsn() tells it after a commit; or now', parsePlace)
    .option(
      '--tables <names>',
      'these only: schema.table,schema.table (default: all of the lake)',
      parseNames,
    )
    .option('--timeout <time>', 'how long to wait', parseTime, TIMEOUT_MS)
    .option('--pipeline <name>', 'the pipeline that feeds the tables, where the configuration has several')
    .option('--slot <name>', "the connector's replication slot (default: what the configuration says)")
    .action(exiting(context, (options: WaitForOptions) => waitFor(options, context)))
}

async function waitFor(options: WaitForOptions, context: CliContext): Promise<ExitCode> {
  const { config, store } = await openLakeOf(options, context)
  const pipeline = selectPipeline(config, { name: options.pipeline })
  const logger = commandLogger(context)
  const settings = { config, pipeline, store, clock: systemClock, logger, slot: options.slot ?? null }
  await using dq = await openDq(settings)
  const tables = await checkedTables(dq, options.tables ?? null)
  const signals = abortOnSignals()
  try {
    const limits = { waitMs: options.timeout, signal: signals.signal }
    const found = await waitForPlace(dq.ports, tables, options.lsn, limits)
    const reached = found.every((table) => table.reached)
    if (options.json === true) context.stdout.write(`${toJson({ reached, tables: found })}\n`)
    else for (const table of found) context.stdout.write(lineOf(table))
    return signals.exitCode() ?? (reached ? EXIT.ok : EXIT.unclear)
  } finally {
    signals.release()
  }
}

function lineOf({ table, reached, version }: TableReached): string {
  return `${reached ? 'reached' : 'NOT reached'} ${printable(table)} version ${version}\n`
}

function parsePlace(text: string): bigint | null {
  if (text === 'now') return null
  if (/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(text)) return parseLsn(text)
  throw new InvalidArgumentError('It must be a place in the log of Postgres like 16/B374D848, or now.')
}
