import { type Command, InvalidArgumentError } from 'commander'
import { EngineError } from '../../core/errors.ts'
import type { PipelineConfig } from '../config/config.ts'
import { openPipelineSource, openPorts } from '../engine.ts'
import { applyReset, planReset, type ResetPlace, type ResetStep } from '../pipeline/checkpoint-reset.ts'
import { readCheckpoints } from '../pipeline/checkpoints.ts'
import { runningProcesses } from '../pipeline/process-sign.ts'
import { TablePatterns } from '../pipeline/table-patterns.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, type OpenLake, openLakeOf, withLakeOptions } from './lake-options.ts'
import { formatCount, printable, toJson } from './output.ts'
import { findFedTable } from './table-pipelines.ts'

interface ResetOptions extends LakeOptions {
  readonly to: ResetPlace
  readonly topic?: string
  readonly from?: string
  readonly newEpoch?: boolean
  readonly dryRun?: boolean
}

/** A pipeline, or one of its tables. */
interface Meant {
  readonly pipeline: PipelineConfig
  readonly tables: readonly string[] | null
}

/** `alluvium checkpoint reset NAME --to PLACE` */
export function registerCheckpointReset(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'reset <name>',
    summary: 'read a table, or all of a pipeline, again from another place; the pipeline must not run',
    example: 'checkpoint reset inventory.orders --to earliest --dry-run',
  })
  withLakeOptions(command)
    .requiredOption(
      '--to <place>',
      'earliest, mark, latest, an offset, or offsets of single partitions of a topic: 0:4711,2:4690',
      parsePlace,
    )
    .option('--topic <name>', 'only partitions of this topic')
    .option('--new-epoch', 'events from there on beat all that came before: after a failover of the source')
    .option('--from <dir>', "recorded topics instead of the pipeline's source")
    .option('--dry-run', 'tell what would be read again or skipped, and do nothing')
    .action(exiting(context, (name: string, options: ResetOptions) => reset(name, options, context)))
}

async function reset(name: string, options: ResetOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const { pipeline, tables } = await meantBy(name, lake, options)
  const logger = commandLogger(context)
  const ports = await openPorts(lake.config, logger, undefined)
  await refuseRunning(ports, pipeline.name)
  const source = await openPipelineSource(pipeline, logger)
  const ranges = await source.partitions().finally(() => source.close())
  const { to, topic = null, newEpoch = false, dryRun = false } = options
  if (typeof to === 'object' && topic === null) {
    throw new EngineError(
      'E_RESET',
      'usage',
      'offsets of single partitions are those of one topic: name it with --topic',
    )
  }
  const order = { tables, topic, to, newEpoch }
  const steps = planReset(await readCheckpoints(lake.store, pipeline.name), ranges, order)
  if (steps.length === 0) {
    throw new EngineError('E_RESET', 'usage', `${name} has no position that could be moved there`)
  }
  tell(pipeline.name, steps, options, context)
  if (dryRun) return EXIT.ok
  await applyReset(ports, pipeline.name, steps, order, TablePatterns.of(pipelineOptions(pipeline).takes))
  return EXIT.ok
}

async function meantBy(name: string, lake: OpenLake, { from }: ResetOptions): Promise<Meant> {
  const { pipelines } = lake.config
  const withSource = (pipeline: PipelineConfig): PipelineConfig =>
    from === undefined ? pipeline : { ...pipeline, source: { kind: 'files', directory: from } }
  const named = pipelines.find((pipeline) => pipeline.name === name)
  if (named !== undefined) return { pipeline: withSource(named), tables: null }
  const table = await findFedTable(lake, name)
  const fed = pipelines.filter((pipeline) => table.pipelines.includes(pipeline.name))
  if (fed.length === 1) return { pipeline: withSource(fed[0]!), tables: [table.name] }
  const which = table.pipelines.join(', ') || 'none'
  const message = `${name} is written by ${which}: the configuration must have exactly one of them (-c FILE)`
  throw new EngineError('E_PIPELINE', 'usage', message)
}

async function refuseRunning(ports: Awaited<ReturnType<typeof openPorts>>, pipeline: string): Promise<void> {
  const running = await runningProcesses(ports.store, ports.clock, pipeline)
  if (running.length === 0) return
  throw new EngineError(
    'E_PIPELINE_RUNS',
    'usage',
    `pipeline ${pipeline} runs (${running.length} process(es)), and would write its own positions over these; stop it ` +
      `first: alluvium pipeline stop ${pipeline}. One that was killed counts as gone after 90 seconds`,
  )
}

function tell(
  pipeline: string,
  steps: readonly ResetStep[],
  options: ResetOptions,
  context: CliContext,
): void {
  const { stdout } = context
  for (const step of steps) {
    const { topic, partition, from, to } = step
    const table = step.table?.name ?? null
    const what = { pipeline, table, topic, partition, from, to }
    stdout.write(
      options.json === true
        ? `${toJson({ ...what, newEpoch: options.newEpoch === true, dryRun: options.dryRun === true })}\n`
        : `${printable(lineOf(step, options.dryRun === true))}\n`,
    )
  }
}

function lineOf({ table, topic, partition, from, to }: ResetStep, isDry: boolean): string {
  const who = table === null ? 'the mark of all tables' : table.name
  const would = isDry ? 'would be ' : ''
  const effect =
    to < from
      ? `up to ${formatCount(from - to)} records are read again; what the table has already it keeps`
      : to > from
        ? `UP TO ${formatCount(to - from)} RECORDS ARE SKIPPED: the table lacks them until it is made anew`
        : 'nothing moves'
  return `${who}: ${topic}/${partition} ${would}moved from ${from} to ${to}: ${effect}`
}

function parsePlace(text: string): ResetPlace {
  if (text === 'earliest' || text === 'mark' || text === 'latest') return text
  if (/^\d{1,19}$/.test(text)) return BigInt(text)
  if (/^\d{1,9}:\d{1,19}(?:,\d{1,9}:\d{1,19})*$/.test(text)) {
    return new Map(text.split(',').map((part) => placeOf(part.split(':') as [string, string])))
  }
  throw new InvalidArgumentError('It must be earliest, mark, latest, an offset, or PARTITION:OFFSET,….')
}

function placeOf([partition, offset]: [string, string]): [number, bigint] {
  return [Number(partition), BigInt(offset)]
}
