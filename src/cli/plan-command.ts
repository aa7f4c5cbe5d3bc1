import type { Command } from 'commander'
import type { ObjectStore } from '../../core/ports.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import { listTables } from '../../writers/table/list-tables.ts'
import type { PipelineConfig } from '../config/config.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { openConfiguredLake } from '../open-lake.ts'
import { tablesOfMark } from '../pipeline/passed-mark.ts'
import { pipelineFolder } from '../pipeline/request.ts'
import { type PipelineTables, pipelinePlan, type TablePlan } from '../pipeline-plan.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { CONFIG_FILE, loadConfig } from './load-config.ts'
import { formatCount, formatTable, printable, type TableColumn, toJson } from './output.ts'
import { pipelinesIn } from './table-pipelines.ts'

interface PlanOptions {
  readonly config: string
  readonly json?: boolean
}

const COLUMNS: readonly TableColumn[] = [{ title: 'table' }, { title: 'effect' }, { title: 'what' }]

/** `alluvium plan` */
export function registerPlan(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'plan [pipeline]',
    summary:
      'say what a changed configuration does to the tables that are there, before it is started; exit 2 when one would stop',
    example: 'plan -c alluvium.yaml',
  })
  command
    .option('-c, --config <file>', 'configuration file', CONFIG_FILE)
    .action(
      exiting(context, (name: string | undefined, options: PlanOptions) => plan(name, options, context)),
    )
}

async function plan(name: string | undefined, options: PlanOptions, context: CliContext): Promise<ExitCode> {
  const config = await loadConfig(options.config, context.environment)
  const store = await openConfiguredLake(config)
  const pipelines = name === undefined ? config.pipelines : [selectPipeline(config, { name })]
  const plans: TablePlan[] = []
  for (const pipeline of pipelines) {
    const own = pipelinePlan(pipeline, await tablesOf(store, pipeline))
    if (options.json === true) {
      for (const each of own) context.stdout.write(`${toJson({ pipeline: pipeline.name, ...each })}\n`)
    }
    plans.push(...own)
  }
  if (options.json !== true) context.stdout.write(asText(plans, context.stdout.columns))
  return plans.some(wouldStop) ? EXIT.problem : EXIT.ok
}

async function tablesOf(store: ObjectStore, { name }: PipelineConfig): Promise<PipelineTables> {
  const tables = []
  for await (const path of listTables(store, { hidden: false })) {
    const snapshot = await loadSnapshot(store, path)
    if (snapshot !== null && pipelinesIn(snapshot).includes(name)) tables.push({ path, snapshot })
  }
  return { tables, taken: tablesOfMark(await loadSnapshot(store, pipelineFolder(name))) }
}

function wouldStop({ effects }: TablePlan): boolean {
  return effects.some(({ kind }) => kind === 'stop')
}

/** The tables that change in a table, those that would stop below it, in words that need room. */
function asText(plans: readonly TablePlan[], width: number): string {
  const effects = plans.flatMap(({ table, effects }) => effects.map((effect) => ({ table, ...effect })))
  const quiet = effects.filter(({ kind }) => kind !== 'stop')
  const shown = quiet.map(({ table, kind, what }) => [table, kind, what])
  const stops = effects.filter(({ kind }) => kind === 'stop')
  const lines = stops.map(({ table, what, code }) => {
    const why = code === undefined ? '' : ` (${code})`
    return `would stop: ${printable(table)}: ${printable(what)}${why}\n`
  })
  const unchanged = plans.filter((each) => each.effects.length === 0).length
  const end = `${formatCount(unchanged)} of ${formatCount(plans.length)} tables stay as they are\n`
  return (shown.length === 0 ? '' : `${formatTable(COLUMNS, shown, width)}\n`) + lines.join('') + end
}
