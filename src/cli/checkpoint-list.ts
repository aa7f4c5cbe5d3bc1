import type { Command } from 'commander'
import { EngineError } from '../../core/errors.ts'
import type { Logger, PartitionRange } from '../../core/ports.ts'
import type { PipelineConfig } from '../config/config.ts'
import { openPipelineSource } from '../engine.ts'
import { systemClock } from '../io/system-clock.ts'
import { type Checkpoints, readCheckpoints } from '../pipeline/checkpoints.ts'
import { timeLeftMs } from '../pipeline/time-left.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { durationText } from './measures.ts'
import { formatTable, printable, type TableColumn, toJson } from './output.ts'

interface ListOptions extends LakeOptions {
  readonly from?: string
}

interface Line {
  readonly pipeline: string
  readonly table: string | null
  readonly topic: string
  readonly partition: number
  readonly next: bigint | null
  readonly mark: bigint | null
  readonly group: bigint | null
  readonly lag: bigint | null
  /** Until retention takes the first record that is still to be read; `null`: nothing goes, or nobody can tell. */
  readonly leftMs: number | null
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'pipeline' },
  { title: 'table' },
  { title: 'topic' },
  { title: 'partition', align: 'right' },
  { title: 'next offset', align: 'right' },
  { title: 'mark', align: 'right' },
  { title: 'group', align: 'right' },
  { title: 'lag', align: 'right' },
  { title: 'kept for', align: 'right' },
]

/** `alluvium checkpoint list` */
export function registerCheckpointList(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'list [pipeline]',
    summary: 'list how far each table has each partition, and how far all of them have',
    example: 'checkpoint list -c alluvium.yaml',
  })
  withLakeOptions(command)
    .option('--from <dir>', "recorded topics instead of the pipeline's source")
    .action(
      exiting(context, (name: string | undefined, options: ListOptions) => list(name, options, context)),
    )
}

async function list(name: string | undefined, options: ListOptions, context: CliContext): Promise<ExitCode> {
  const { config, store } = await openLakeOf(options, context)
  const lines: Line[] = []
  for (const pipeline of config.pipelines) {
    if (name !== undefined && pipeline.name !== name) continue
    lines.push(...(await linesOf(pipeline, await readCheckpoints(store, pipeline.name), options, context)))
  }
  const { stdout } = context
  if (options.json === true) for (const line of lines) stdout.write(`${toJson(line)}\n`)
  else if (lines.length === 0) stdout.write('nothing has been read yet\n')
  else stdout.write(formatTable(COLUMNS, lines.map(cells), stdout.columns))
  return EXIT.ok
}

/** The lake tells most of it: a source that cannot be asked costs the lag. */
async function linesOf(
  pipeline: PipelineConfig,
  checkpoints: Checkpoints,
  { from }: ListOptions,
  context: CliContext,
): Promise<Line[]> {
  const logger = commandLogger(context)
  const config =
    from === undefined ? pipeline : { ...pipeline, source: { kind: 'files' as const, directory: from } }
  try {
    const source = await openPipelineSource(config, logger)
    try {
      const ranges = await source.partitions()
      const { group, retentionMs } = await askBrokers(config, logger)
      const lines = placesOf(pipeline.name, checkpoints, ranges, group)
      const left = ({ topic, partition, next, mark }: Line): Promise<number | null> => {
        const range = ranges.find((each) => each.topic === topic && each.partition === partition)
        const keptMs = retentionMs.get(topic) ?? null
        if (range === undefined) return Promise.resolve(null)
        return timeLeftMs(source, range, reachedOf(next, mark) ?? 0n, keptMs, systemClock.nowMs())
      }
      const told: Line[] = []
      for (const line of lines) told.push({ ...line, leftMs: await left(line) })
      return told
    } finally {
      await source.close()
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    context.stderr.write(`the source cannot be asked, so that no lag is told: ${printable(error.message)}\n`)
    return placesOf(pipeline.name, checkpoints, [], new Map())
  }
}

/** What the brokers were told of the group, by `topic/partition`, and how long they keep records, by topic. */
async function askBrokers({ source }: PipelineConfig, logger: Logger) {
  if (source.kind !== 'kafka')
    return { group: new Map<string, bigint>(), retentionMs: new Map<string, number | null>() }
  const { inspectKafka } = await import('../io/kafka-inspection.ts')
  const { topics, groupOffsets } = await inspectKafka(source, systemClock, logger)
  return {
    group: groupOffsets,
    retentionMs: new Map(topics.map(({ name, retentionMs }) => [name, retentionMs])),
  }
}

/** A table takes nothing that all tables have passed. */
function reachedOf(next: bigint | null, mark: bigint | null): bigint | null {
  return next === null || (mark !== null && mark > next) ? mark : next
}

function placesOf(
  pipeline: string,
  { mark, tables }: Checkpoints,
  ranges: readonly PartitionRange[],
  group: ReadonlyMap<string, bigint>,
): Line[] {
  const ends = new Map(ranges.map((range) => [`${range.topic}/${range.partition}`, range.endOffset]))
  const names = [...new Set([...ends.keys(), ...mark.keys()])].sort()
  return names.flatMap((partitionName) => {
    const slash = partitionName.lastIndexOf('/')
    const end = ends.get(partitionName) ?? null
    const passed = mark.get(partitionName) ?? null
    const line = (table: string | null, next: bigint | null): Line => {
      const reached = reachedOf(next, passed)
      return {
        pipeline,
        table,
        topic: partitionName.slice(0, slash),
        partition: Number(partitionName.slice(slash + 1)),
        next,
        mark: passed,
        group: group.get(partitionName) ?? null,
        lag: end === null ? null : end - (reached ?? 0n) > 0n ? end - (reached ?? 0n) : 0n,
        leftMs: null,
      }
    }
    const fed = tables.flatMap(({ name, nextOffsets }) => {
      const next = nextOffsets.get(partitionName)
      return next === undefined ? [] : [line(name, next)]
    })
    return fed.length > 0 ? fed : [line(null, null)]
  })
}

function cells({ pipeline, table, topic, partition, next, mark, group, lag, leftMs }: Line) {
  const left = leftMs === null ? null : durationText(leftMs)
  return [pipeline, table, topic, String(partition), text(next), text(mark), text(group), lag, left]
}

/** Offsets are names of places: no commas in them. */
function text(offset: bigint | null): string | null {
  return offset === null ? null : String(offset)
}
