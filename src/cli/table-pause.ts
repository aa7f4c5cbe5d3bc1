import type { Command } from 'commander'
import { runCommandLine } from '../io/run-command.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT } from './exit-code.ts'
import { holdTable, type Pause } from './hold-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { durationText } from './measures.ts'
import { parseTime } from './option-values.ts'
import { printable, toJson } from './output.ts'
import { type FedTable, findFedTable } from './table-pipelines.ts'

interface PauseOptions extends LakeOptions {
  readonly for: number
  readonly wait: number
}

/** `alluvium table pause NAME [-- COMMAND]` */
export function registerTablePause(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'pause <name> [command...]',
    summary: 'hold the commits to a table, while a command runs or until `table resume`',
    example:
      'table pause inventory.orders --for 2h -- spark-sql -e "OPTIMIZE delta.`s3a://lake/inventory/orders`"',
  })
  withLakeOptions(command)
    .option('--for <time>', 'after which the table goes on by itself', parseTime, 3_600_000)
    .option(
      '--wait <time>',
      'how long to wait for a process that runs and does not answer',
      parseTime,
      120_000,
    )
    .action(
      exiting(context, (name: string, argv: string[], options: PauseOptions) =>
        pause(name, argv, options, context),
      ),
    )
}

async function pause(
  name: string,
  command: readonly string[],
  options: PauseOptions,
  context: CliContext,
): Promise<number> {
  const lake = await openLakeOf(options, context)
  const table = await findFedTable(lake, name)
  const ports = { store: lake.store, clock: systemClock, random: systemRandom }
  const signals = abortOnSignals()
  try {
    const pauses = await holdTable(ports, table, options, signals.signal)
    if (command.length === 0) {
      tell(table, pauses, options, context)
      return EXIT.ok
    }
    const processes = pauses.reduce((sum, each) => sum + each.processes, 0)
    if (processes === 0) say(context, `no process writes ${table.name} now; one that starts meanwhile waits`)
    try {
      return await runCommandLine(command, signals.signal)
    } finally {
      await goOn(pauses, table, context)
    }
  } finally {
    signals.release()
  }
}

async function goOn(pauses: readonly Pause[], { name }: FedTable, context: CliContext): Promise<void> {
  for (const { box, request } of pauses) {
    if (request.expiresMs < systemClock.nowMs()) {
      say(context, `the pause of ${name} was over before the command was: give it more time with --for`)
    }
    await box.clear(request)
  }
}

function tell(
  { name }: FedTable,
  pauses: readonly Pause[],
  options: PauseOptions,
  { stdout }: CliContext,
): void {
  const processes = pauses.reduce((sum, each) => sum + each.processes, 0)
  if (options.json === true) {
    stdout.write(`${toJson({ table: name, paused: true, processes, forMs: options.for })}\n`)
    return
  }
  const who =
    processes === 0 ? 'no process writes it now; one that starts meanwhile waits' : 'its writer holds'
  const limit = `it goes on by itself after ${durationText(options.for)}`
  stdout.write(
    `${printable(name)} is paused: ${who}. alluvium table resume ${printable(name)} ends it; ${limit}\n`,
  )
}

function say({ stderr }: CliContext, message: string): void {
  stderr.write(`${printable(message)}\n`)
}
