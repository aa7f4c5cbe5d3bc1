import type { Command } from 'commander'
import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import { dropTable } from '../../writers/table/drop-table.ts'
import { systemClock } from '../io/system-clock.ts'
import { runningProcesses } from '../pipeline/process-sign.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { findTable } from './find-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { sizeText } from './measures.ts'
import { formatCount, toJson } from './output.ts'
import { pipelinesIn } from './table-pipelines.ts'

interface DropOptions extends LakeOptions {
  readonly yes?: boolean
}

/** `alluvium table drop NAME --yes` */
export function registerTableDrop(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'drop <name>',
    summary:
      'delete a table with all its versions; its pipelines must not run. Without --yes it only tells, and exits 2',
    example: 'table drop inventory.orders --yes',
  })
  withLakeOptions(command)
    .option('--yes', 'do it; there is no way back')
    .action(exiting(context, (name: string, options: DropOptions) => drop(name, options, context)))
}

async function drop(name: string, options: DropOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const { path, snapshot } = await findTable(lake, name)
  if (path === '' || path.startsWith('_')) throw notToBeDropped(name)
  const pipelines = pipelinesIn(snapshot)
  await refuseRunning(lake.store, pipelines)
  const isMeant = options.yes === true
  const { objects, sizeBytes } = await dropTable(lake.store, path, !isMeant)
  const { stdout } = context
  if (options.json === true) {
    stdout.write(`${toJson({ path, dropped: isMeant, objects, sizeBytes, pipelines })}\n`)
  } else {
    const what = `${formatCount(objects)} objects (${sizeText(sizeBytes)}) below ${path}/`
    stdout.write(
      isMeant
        ? `deleted ${what}\n` +
            'its pipeline has passed its records: with new ones the table begins again with those alone. Take it out ' +
            '(`skip: true`), or have its topic read again: alluvium checkpoint reset PIPELINE --topic TOPIC --to earliest\n'
        : `${what} would go, every version of the table with them; say --yes to do it\n`,
    )
  }
  return isMeant ? EXIT.ok : EXIT.problem
}

async function refuseRunning(store: ObjectStore, pipelines: readonly string[]): Promise<void> {
  for (const pipeline of pipelines) {
    const running = await runningProcesses(store, systemClock, pipeline)
    if (running.length === 0) continue
    throw new EngineError(
      'E_PIPELINE_RUNS',
      'usage',
      `pipeline ${pipeline} runs and writes the table; stop it first: alluvium pipeline stop ${pipeline}. One that was ` +
        'killed counts as gone after 90 seconds',
    )
  }
}

function notToBeDropped(name: string): EngineError {
  return new EngineError(
    'E_USAGE',
    'usage',
    `${name} is no table of the source: remove the lake's folder itself, if that is what you want`,
  )
}
