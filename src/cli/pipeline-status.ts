import type { Command } from 'commander'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import { readCheckpoints } from '../pipeline/checkpoints.ts'
import { runningProcesses } from '../pipeline/process-sign.ts'
import { RequestBox } from '../pipeline/request-box.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { instantJson, instantText } from './measures.ts'
import { formatTable, type TableColumn, toJson } from './output.ts'

const COLUMNS: readonly TableColumn[] = [
  { title: 'pipeline' },
  { title: 'processes', align: 'right' },
  { title: 'last seen (UTC)' },
  { title: 'tables', align: 'right' },
  { title: 'partitions', align: 'right' },
  { title: 'paused' },
]

/** `alluvium pipeline status` */
export function registerPipelineStatus(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'status [pipeline]',
    summary: 'tell which pipelines run, as far as the lake tells; exit 2 when one of them does not',
    example: 'pipeline status -c alluvium.yaml',
  })
  withLakeOptions(command).action(
    exiting(context, (name: string | undefined, options: LakeOptions) => status(name, options, context)),
  )
}

async function status(
  name: string | undefined,
  options: LakeOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { stdout } = context
  const { config, store } = await openLakeOf(options, context)
  const ports = { store, clock: systemClock, random: systemRandom }
  const rows = []
  let isAllRunning = true
  for (const pipeline of config.pipelines.map((each) => each.name)) {
    if (name !== undefined && pipeline !== name) continue
    const running = await runningProcesses(store, systemClock, pipeline)
    const { mark, tables } = await readCheckpoints(store, pipeline)
    const requests = await new RequestBox(ports, pipeline).list()
    const paused = requests.flatMap(({ ask }) => (ask?.kind === 'pause' ? [ask.table] : []))
    const seenMs = Math.max(...running.map((each) => each.seenMs))
    isAllRunning &&= running.length > 0
    const counts = {
      pipeline,
      processes: running.length,
      tables: tables.length,
      partitions: mark.size,
      paused,
    }
    if (options.json === true) {
      stdout.write(`${toJson({ ...counts, seen: running.length === 0 ? null : instantJson(seenMs) })}\n`)
    }
    const seen = running.length === 0 ? '' : instantText(seenMs)
    rows.push([pipeline, running.length, seen, tables.length, mark.size, paused.join(', ')])
  }
  if (options.json !== true) {
    stdout.write(formatTable(COLUMNS, rows, stdout.columns))
    if (!isAllRunning) stdout.write('\none that has no process is started with `alluvium ingest NAME`\n')
  }
  return isAllRunning ? EXIT.ok : EXIT.problem
}
