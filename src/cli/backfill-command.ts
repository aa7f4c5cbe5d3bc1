import type { Command } from 'commander'
import { EngineError } from '../../core/errors.ts'
import { ProofLog } from '../../dq/proof-log.ts'
import {
  type BackfilledTable,
  type BackfillOutcome,
  backfillTable,
  isVerified,
} from '../backfill/backfill-table.ts'
import { estimateTable } from '../backfill/estimate-table.ts'
import { Pacing } from '../backfill/pacing.ts'
import type { PipelineConfig } from '../config/config.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { abortOnSignals, type Signals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import { type OpenBackfill, openBackfill } from '../open-backfill.ts'
import { backfillColumns } from './backfill-columns.ts'
import { TableProgress } from './backfill-progress.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { dqResultLines } from './dq-result-lines.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { configOfLake, type LakeOptions, withLakeOptions } from './lake-options.ts'
import { durationText, sizeText } from './measures.ts'
import { parseCount, parseNames, parseSize, parseTime } from './option-values.ts'
import { formatCount, printable, toJson } from './output.ts'

interface BackfillOptions extends LakeOptions {
  readonly pipeline?: string
  readonly tables?: readonly string[]
  readonly where?: string
  readonly columns?: readonly string[]
  readonly workers: number
  readonly resume?: boolean
  readonly dryRun?: boolean
  readonly withoutStream?: boolean
  readonly rowsPerSecond?: number
  readonly bytesPerSecond?: number
  readonly maxReplicaLag?: number
  readonly maxSlotBytes?: number
  readonly state: string
}

/** Two are what one core of ours can take in. */
const WORKERS = 2

/** `alluvium backfill` */
export function registerBackfill(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'backfill',
    summary:
      'lay down tables as the source holds them now, and prove it; the stream goes on from there. Exit 0 verified, ' +
      '2 different, 3 could not tell, 130 paused',
    example: 'backfill --tables public.customers,public.orders',
  })
  withLakeOptions(command)
    .option('--pipeline <name>', 'the pipeline that feeds the tables, where the configuration has several')
    .option(
      '--tables <names>',
      'schema.table,schema.table (default: those that the pipeline names)',
      parseNames,
    )
    .option('--where <sql>', 'only rows of one table of which this holds at the source')
    .option(
      '--columns <names>',
      'of one table that the lake has: fill these where they are incomplete, beside its stream',
      parseNames,
    )
    .option('--workers <count>', 'connections that read at a time', parseCount, WORKERS)
    .option('--resume', 'go on with tables that an earlier run has begun')
    .option('--dry-run', 'tell rows, bytes and time that it would take, by statistics and a sample')
    .option('--rows-per-second <count>', 'rows that are read at most (default: no bound)', parseCount)
    .option('--bytes-per-second <size>', 'bytes that are read at most (default: no bound)', parseSize)
    .option('--max-replica-lag <time>', 'wait while a replica of the source is further behind', parseTime)
    .option('--max-slot-bytes <size>', 'wait while a replication slot holds back more log', parseSize)
    .option('--without-stream', 'no connector streams these tables: what changes from now on is not kept')
    .option('--state <dir>', 'for local state that may be deleted at any time', '.alluvium')
    .action(
      exiting(context, (options: BackfillOptions) => {
        const { columns } = options
        if (columns === undefined) return backfill(options, context)
        if (FIRST_LOAD.some((name) => options[name] !== undefined)) throw ofFirstLoads()
        return backfillColumns({ ...options, columns }, context)
      }),
    )
}

async function backfill(options: BackfillOptions, context: CliContext): Promise<ExitCode> {
  const { stderr, environment } = context
  if (options.where !== undefined && options.tables?.length !== 1) throw whereOfMany()
  const config = await configOfLake(options, context)
  const pipeline = selectPipeline(config, { name: options.pipeline })
  const logger = commandLogger({ stderr })
  const signals = abortOnSignals()
  try {
    await using opened = await openBackfill({
      ...{ config, pipeline, logger, workers: options.workers, stateDirectory: options.state },
      failpoint: environment('ALLUVIUM_FAILPOINT'),
      withoutStream: options.withoutStream === true,
    })
    const tables = await opened.tables(options.tables ?? namedTables(pipeline), options.where ?? null)
    if (options.dryRun === true) return await tellEstimates(opened, tables, options, context)
    return await backfillAll(opened, pipeline, tables, options, signals, context)
  } finally {
    signals.release()
  }
}

async function backfillAll(
  opened: OpenBackfill,
  pipeline: PipelineConfig,
  tables: readonly BackfilledTable[],
  options: BackfillOptions,
  signals: Signals,
  context: CliContext,
): Promise<ExitCode> {
  const { ports, database } = opened
  const limits = {
    rowsPerSecond: options.rowsPerSecond ?? null,
    bytesPerSecond: options.bytesPerSecond ?? null,
    replicaLagMs: options.maxReplicaLag ?? null,
    slotBytes: options.maxSlotBytes ?? null,
  }
  const pacing = new Pacing(systemClock, database, limits, (line) => context.stderr.write(line))
  const proofs = new ProofLog(ports, pipeline.name)
  const id = systemRandom.uuid()
  const startedMs = systemClock.nowMs()
  const outcomes: BackfillOutcome[] = []
  for (const table of tables) {
    const { workers, resume = false } = options
    const run = { pipeline: pipeline.name, workers, resume, signal: signals.signal }
    const outcome = await showing(opened, table, options, context, (progress) =>
      backfillTable({ ...ports, database, pacing }, table, run, progress),
    )
    outcomes.push(outcome)
    if (outcome.proof !== null) await proofs.write(id, startedMs, [outcome.proof])
    if (options.json !== true) for (const line of outcomeLines(outcome)) context.stdout.write(line)
    if (outcome.state === 'paused') break
  }
  if (options.json === true) context.stdout.write(`${toJson({ tables: outcomes.map(outcomeObject) })}\n`)
  return signals.exitCode() ?? exitCodeFor(outcomes)
}

async function showing<T>(
  { database }: OpenBackfill,
  { contract: { name } }: BackfilledTable,
  { json }: BackfillOptions,
  { stdout, stderr }: CliContext,
  work: (progress: TableProgress) => Promise<T>,
): Promise<T> {
  const estimate = await database.getTableEstimate(name)
  const terminal = json === true ? stdout : stderr
  const shape = { terminal, clock: systemClock, asJson: json === true }
  const progress = new TableProgress(shape, name, estimate === null ? null : Number(estimate))
  try {
    return await work(progress)
  } finally {
    progress.stop()
  }
}

async function tellEstimates(
  { database }: OpenBackfill,
  tables: readonly BackfilledTable[],
  { workers, json }: BackfillOptions,
  { stdout }: CliContext,
): Promise<ExitCode> {
  const estimates = []
  for (const table of tables) estimates.push(await estimateTable(database, systemClock, table, workers))
  if (json === true) {
    stdout.write(`${toJson({ tables: estimates })}\n`)
    return EXIT.ok
  }
  for (const { table, rows, heapBytes, chunks, readSeconds, leftOut } of estimates) {
    const time = readSeconds === null ? '' : `, about ${durationText(readSeconds * 1000)} of reading`
    stdout.write(
      `${printable(table)}: about ${formatCount(rows)} rows, ${sizeText(heapBytes)} in ${chunks} chunks${time}\n`,
    )
    for (const note of leftOut) stdout.write(noteLine(note))
  }
  return EXIT.ok
}

function outcomeLines(outcome: BackfillOutcome): readonly string[] {
  const { table, state, proof, leftOut } = outcome
  if (state === 'paused') return [`paused       ${printable(table)}: go on with --resume\n`]
  if (state === 'skipped') return [`skipped      ${printable(table)}: an earlier run has laid it down\n`]
  const word = isVerified(outcome) ? 'verified' : 'loaded'
  const lines = [`${word.padEnd(12)} ${printable(table)}\n`, ...leftOut.map(noteLine)]
  return proof === null ? lines : [...lines, ...dqResultLines(proof).map((line) => `  ${line}`)]
}

function noteLine({ column, reason }: BackfillOutcome['leftOut'][number]): string {
  return `  column ${printable(column)} is left out: ${printable(reason)}\n`
}

function outcomeObject(outcome: BackfillOutcome) {
  return { ...outcome, isVerified: isVerified(outcome) }
}

/** Rows of a resumed table that are gone at the source wait for the stream: nobody can tell yet. */
function exitCodeFor(outcomes: readonly BackfillOutcome[]): ExitCode {
  const codes = outcomes.map((outcome) => {
    if (outcome.state === 'skipped' || isVerified(outcome)) return EXIT.ok
    const isDifferent = outcome.proof?.verdict === 'different' && !outcome.isResumed
    return isDifferent ? EXIT.problem : EXIT.unclear
  })
  return codes.find((code) => code === EXIT.problem) ?? codes.find((code) => code !== EXIT.ok) ?? EXIT.ok
}

/** What means nothing for a table that is there: nobody shall think that it was heeded. */
const FIRST_LOAD = ['where', 'resume', 'dryRun', 'bytesPerSecond', 'maxReplicaLag', 'maxSlotBytes'] as const

function ofFirstLoads(): EngineError {
  const message =
    'of the options that say how much is read, --columns knows --rows-per-second alone: it repairs a table that is there'
  return new EngineError(
    'E_BACKFILL_TABLE',
    'usage',
    `${message}; --dry-run, --resume and --where are for first loads`,
  )
}

function whereOfMany(): EngineError {
  return new EngineError('E_BACKFILL_TABLE', 'usage', '--where is about one table: name it by --tables')
}

function namedTables({ name, tables }: PipelineConfig): readonly string[] {
  const named = [...tables.values()].filter(({ skip }) => skip !== true).map((table) => table.name)
  if (named.length > 0) return named
  throw new EngineError(
    'E_NO_TABLE',
    'usage',
    `pipeline ${name} names no table: say which by --tables schema.table`,
  )
}
