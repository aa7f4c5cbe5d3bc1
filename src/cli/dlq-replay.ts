import { type Command, InvalidArgumentError } from 'commander'
import { EngineError } from '../../core/errors.ts'
import type { ChangeSource } from '../../core/ports.ts'
import { KeyHasher } from '../../writers/locator/key-encoding.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { addTally, emptyTally, type Tally } from '../../writers/tally.ts'
import { openPipelineSource } from '../engine.ts'
import { abortOnSignals } from '../io/signals.ts'
import { DeadLetters } from '../pipeline/dead-letters.ts'
import { judgeLetters, type StayingLetter, type TableReplay } from '../pipeline/letter-replay.ts'
import { type DeadLetter, type LetterFilter, readDeadLetters } from '../pipeline/read-dead-letters.ts'
import type { PipelineOptions } from '../pipeline/topic-work.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { parseCoordinate, parsePartition } from './dlq-show.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { holdTable } from './hold-table.ts'
import { openLakeOf } from './lake-options.ts'
import { openTablePorts } from './open-table-ports.ts'
import { parseCount, parseTime } from './option-values.ts'
import { formatCount, formatTable, printable, type TableColumn, toJson } from './output.ts'
import { type SourceOptions, sourcesOf, withSourceOptions } from './source-options.ts'

/** No replay takes so long; should this process die, the table goes on by itself. */
const HELD_MS = 15 * 60_000

interface ReplayOptions extends SourceOptions {
  readonly lake?: string
  readonly table?: string
  readonly reason?: string
  readonly topic?: string
  readonly partition?: number
  readonly offsets?: readonly [bigint, bigint]
  readonly letters: number
  readonly dryRun?: boolean
  readonly wait: number
}

/** What the letters of one replay are given to. */
interface Replay {
  readonly ports: TableLogPorts
  readonly source: ChangeSource
  readonly rules: PipelineOptions
  readonly options: ReplayOptions
  readonly signal: AbortSignal
  readonly deadLetters: DeadLetters
}

/** Letters that were dealt with, each counted once, and those that were not. */
interface Replayed {
  readonly tally: Tally
  readonly stay: readonly StayingLetter[]
}

/** `alluvium dlq replay` */
export function registerDlqReplay(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'replay',
    summary:
      'read dead letters again and give them to their tables, where nothing newer is there; exit 2 when some stay',
    example: 'dlq replay --table inventory.customers --reason BAD_VALUE',
  })
  withSourceOptions(command)
    .option('--lake <dir>', 'where the tables lie, instead of what the configuration says')
    .option('--table <name>', 'only those of a table (schema.table)')
    .option('--reason <code>', 'only those set aside for a reason')
    .option('--topic <name>', 'only those of a topic')
    .option('--partition <number>', 'only those of a partition', parsePartition)
    .option('--offsets <first-last>', 'only those from an offset to another', parseOffsets)
    .option('-n, --letters <count>', 'how many, the first of each partition first', parseCount, 10_000)
    .option('--dry-run', 'only tell what would become of them')
    .option(
      '--wait <time>',
      'how long to wait for a process that runs and does not answer',
      parseTime,
      120_000,
    )
    .action(exiting(context, (options: ReplayOptions) => replay(options, context)))
}

function parseOffsets(text: string): readonly [bigint, bigint] {
  const [first, last = first, ...more] = text.split('-')
  if (more.length > 0) throw new InvalidArgumentError('It must be one offset, or two with a - between them.')
  return [parseCoordinate(first!), parseCoordinate(last!)]
}

async function replay(options: ReplayOptions, context: CliContext): Promise<ExitCode> {
  const { json: _, ...lakeOptions } = options
  const lake = await openLakeOf(lakeOptions, context)
  const pipelines = await sourcesOf(options, context)
  const [pipeline] = pipelines
  if (pipeline === undefined || pipelines.length > 1) throw notOne(pipelines.map(({ name }) => name))
  const letters = await readDeadLetters(lake.store, filterOf(options), options.letters)
  const ports = await openTablePorts(lake, context)
  const rules = pipelineOptions(pipeline)
  const logger = commandLogger(context)
  const source = await openPipelineSource(pipeline, logger)
  const signals = abortOnSignals()
  try {
    const deadLetters = await DeadLetters.open(ports, rules.name)
    const run = { ports, source, rules, options, signal: signals.signal, deadLetters }
    const { tally, stay } = await replayLetters(letters, run)
    await deadLetters.settle()
    const interrupted = signals.exitCode()
    if (interrupted !== null) return interrupted
    tell(letters.length, tally, stay, options, context)
    return stay.length === 0 ? EXIT.ok : EXIT.problem
  } finally {
    signals.release()
    await source.close()
  }
}

async function replayLetters(letters: readonly DeadLetter[], run: Replay): Promise<Replayed> {
  const { ports, rules, options, deadLetters, signal } = run
  const judged = judgeLetters(letters, rules, new KeyHasher(ports.random))
  const { tombstones, control } = judged
  const tally = { ...emptyTally(), tombstones: tombstones.length, control: control.length }
  if (options.dryRun !== true)
    await deadLetters.markReplayed([...tombstones, ...control], ports.clock.nowMs())
  const stay = [...judged.stay]
  for (const table of judged.tables) {
    if (signal.aborted) break
    addTally(tally, await replayTable(table, run))
    stay.push(...table.stay)
  }
  return { tally, stay }
}

/** What is long is done while the table goes on; then it is held for a moment, and nobody else commits to it. */
async function replayTable(table: TableReplay, run: Replay): Promise<Tally> {
  const { ports, source, rules, options, signal, deadLetters } = run
  await table.look(source)
  if (options.dryRun === true) {
    const { letters, overtaken } = table
    return { ...emptyTally(), applied: letters.length - overtaken, stale: overtaken }
  }
  const held = { name: table.contract.name, pipelines: [rules.name] }
  const pauses = await holdTable(ports, held, { for: HELD_MS, wait: options.wait }, signal)
  try {
    await table.look(source)
    const tally = await table.give(ports, rules)
    await deadLetters.markReplayed(table.letters, ports.clock.nowMs())
    return tally
  } finally {
    for (const { box, request } of pauses) await box.clear(request)
  }
}

function filterOf({ table, reason, topic, partition, offsets }: ReplayOptions): LetterFilter {
  return {
    ...(table === undefined ? {} : { table }),
    ...(reason === undefined ? {} : { reason }),
    ...(topic === undefined ? {} : { topic }),
    ...(partition === undefined ? {} : { partition }),
    ...(offsets === undefined ? {} : { offsets }),
  }
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'topic' },
  { title: 'partition', align: 'right' },
  { title: 'offset', align: 'right' },
  { title: 'table' },
  { title: 'stays, because' },
]

function tell(
  letters: number,
  tally: Tally,
  stay: readonly StayingLetter[],
  { json, dryRun = false }: ReplayOptions,
  { stdout }: CliContext,
): void {
  const { applied, superseded, stale, duplicates, ignored, tombstones, control } = tally
  if (json === true) {
    const counts = { letters, applied, superseded, stale, duplicates, ignored, tombstones, control }
    const staying = stay.map(({ letter: { topic, partition, offset, table }, why }) => ({
      ...{ topic, partition, offset, table, why },
    }))
    stdout.write(`${toJson({ ...counts, stay: stay.length, dryRun, staying })}\n`)
    return
  }
  const of = (count: number, what: string): string[] => (count === 0 ? [] : [`${formatCount(count)} ${what}`])
  const parts = [
    ...of(applied + superseded, dryRun ? 'would be applied if the table has nothing newer' : 'applied'),
    ...of(stale, 'older than what is there'),
    ...of(duplicates, 'there already'),
    ...of(ignored, 'changed nothing'),
    ...of(tombstones + control, 'about no row'),
    ...of(stay.length, stay.length === 1 ? 'stays' : 'stay'),
  ]
  stdout.write(`${formatCount(letters)} dead letters${parts.length === 0 ? '' : `: ${parts.join(', ')}`}\n`)
  if (stay.length === 0) return
  const lines = stay.map(({ letter: { topic, partition, offset, table }, why }) => [
    ...[topic, String(partition), String(offset), table ?? 'not known', why],
  ])
  stdout.write(`\n${formatTable(COLUMNS, lines, stdout.columns).split('\n').map(printable).join('\n')}`)
}

function notOne(names: readonly string[]): EngineError {
  return new EngineError(
    'E_PIPELINE',
    'usage',
    `name the pipeline whose letters are meant, with --pipeline: ${names.join(', ')}`,
  )
}
