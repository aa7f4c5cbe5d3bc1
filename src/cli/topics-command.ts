import type { Command } from 'commander'
import { openPipelineSource } from '../engine.ts'
import { pipelineOptions } from '../pipeline-options.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { formatTable, type TableColumn, toJson } from './output.ts'
import { type SourceOptions, sourcesOf, withBrokers, withSourceOptions } from './source-options.ts'

const COLUMNS: readonly TableColumn[] = [
  { title: 'pipeline' },
  { title: 'topic' },
  { title: 'partition', align: 'right' },
  { title: 'first offset', align: 'right' },
  { title: 'end', align: 'right' },
  { title: 'offsets', align: 'right' },
  { title: 'feeds' },
]

/** `alluvium topics` */
export function registerTopics(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'topics',
    summary:
      'list the topics of the pipelines: partitions, what they hold, and the tables that they can feed',
    example: 'topics -c alluvium.yaml',
  })
  withBrokers(withSourceOptions(command)).action(
    exiting(context, (options: SourceOptions) => topics(options, context)),
  )
}

async function topics(options: SourceOptions, context: CliContext): Promise<ExitCode> {
  const { stdout, stderr } = context
  const logger = commandLogger({ stderr })
  const rows = []
  for (const pipeline of await sourcesOf(options, context)) {
    const { tablesOf } = pipelineOptions(pipeline)
    const source = await openPipelineSource(pipeline, logger)
    const ranges = await source.partitions().finally(() => source.close())
    for (const { topic, partition, startOffset, endOffset } of ranges) {
      const feeds = tablesOf(topic).map(({ name }) => name)
      const line = { pipeline: pipeline.name, topic, partition, startOffset, endOffset, feeds }
      if (options.json === true) stdout.write(`${toJson(line)}\n`)
      const offsets = [String(partition), String(startOffset), String(endOffset), endOffset - startOffset]
      rows.push([pipeline.name, topic, ...offsets, feeds.join(', ')])
    }
  }
  if (options.json !== true) stdout.write(formatTable(COLUMNS, rows, stdout.columns))
  return EXIT.ok
}
