import type { Command } from 'commander'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import type { Answer } from '../pipeline/request.ts'
import { RequestBox } from '../pipeline/request-box.ts'
import { type AskPorts, askProcesses } from './ask-processes.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { parseTime } from './option-values.ts'
import { printable, toJson } from './output.ts'
import { findFedTable } from './table-pipelines.ts'

/** Left for a process that starts later. */
const LEFT_MS = 7 * 24 * 3_600_000

interface ResumeOptions extends LakeOptions {
  readonly acceptGap?: boolean
  readonly wait: number
}

interface Resumed {
  readonly exitCode: ExitCode
  readonly outcome: 'unpaused' | 'resumed' | 'left' | 'refused' | 'nobody'
  readonly message: string
}

/** `alluvium table resume NAME`: ends a pause, or lets a stopped table take what it missed. */
export function registerTableResume(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'resume <name>',
    summary: 'end the pause of a table, or let a stopped one take what it missed',
    example: 'table resume inventory.orders --accept-gap',
  })
  withLakeOptions(command)
    .option('--accept-gap', 'do without records that are gone from the topic (E_OFFSET_GAP)')
    .option(
      '--wait <time>',
      'how long to wait for a process that runs and does not answer',
      parseTime,
      120_000,
    )
    .action(exiting(context, (name: string, options: ResumeOptions) => resume(name, options, context)))
}

async function resume(name: string, options: ResumeOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const { name: table, pipelines } = await findFedTable(lake, name)
  const ports = { store: lake.store, clock: systemClock, random: systemRandom }
  let exitCode: ExitCode = EXIT.ok
  for (const pipeline of pipelines) {
    const resumed = await resumeIn(ports, pipeline, table, options)
    if (resumed.exitCode !== EXIT.ok) exitCode = resumed.exitCode
    const { outcome, message } = resumed
    context.stdout.write(
      options.json === true
        ? `${toJson({ table, pipeline, outcome, message })}\n`
        : `${printable(`${table} (pipeline ${pipeline}): ${message}`)}\n`,
    )
  }
  return exitCode
}

async function resumeIn(
  ports: AskPorts,
  pipeline: string,
  table: string,
  { acceptGap = false, wait }: ResumeOptions,
): Promise<Resumed> {
  const box = new RequestBox(ports, pipeline)
  if ((await endPauses(box, table)) && !acceptGap) {
    return { exitCode: EXIT.ok, outcome: 'unpaused', message: 'no longer paused' }
  }
  const signals = abortOnSignals()
  try {
    const ask = { kind: 'resume', table, acceptGap } as const
    const limits = { lifeMs: LEFT_MS, waitMs: wait, signal: signals.signal }
    const { request, answers } = await askProcesses(ports, pipeline, { ask, ...limits })
    if (answers.length === 0 && acceptGap) return left()
    await box.clear(request)
    return answers.length === 0 ? nobody() : resumedBy(answers)
  } finally {
    signals.release()
  }
}

/** @returns whether there were any */
async function endPauses(box: RequestBox, table: string): Promise<boolean> {
  let hasEnded = false
  for (const request of await box.list()) {
    if (request.ask?.kind !== 'pause' || request.ask.table !== table) continue
    await box.clear(request)
    hasEnded = true
  }
  return hasEnded
}

function left(): Resumed {
  const message = 'no process runs the pipeline; the gap is accepted when it starts (within seven days)'
  return { exitCode: EXIT.ok, outcome: 'left', message }
}

function nobody(): Resumed {
  const message = 'no process runs the pipeline; a table that stopped is tried again when it starts'
  return { exitCode: EXIT.ok, outcome: 'nobody', message }
}

function resumedBy(answers: readonly Answer[]): Resumed {
  const done = answers.find(({ outcome }) => outcome === 'done')
  if (done !== undefined) {
    const message = done.message === '' ? 'takes what it missed, then the stream' : done.message
    return { exitCode: EXIT.ok, outcome: 'resumed', message }
  }
  const refused = answers.find(({ outcome }) => outcome === 'refused')
  const message = refused?.message ?? 'no process that runs has this table yet; try again'
  return { exitCode: EXIT.failed, outcome: 'refused', message }
}
