import type { Command } from 'commander'
import { selectPipeline } from '../config/select-pipeline.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import { runningProcesses } from '../pipeline/process-sign.ts'
import { RequestBox } from '../pipeline/request-box.ts'
import { askProcesses } from './ask-processes.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { parseTime } from './option-values.ts'
import { toJson } from './output.ts'

/** Nobody stops for a request that was forgotten. */
const STOP_LIFE_MS = 600_000
const POLL_MS = 500

interface StopOptions extends LakeOptions {
  readonly wait: number
}

/** `alluvium pipeline stop NAME` */
export function registerPipelineStop(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'stop [pipeline]',
    summary: 'end all processes that run a pipeline, when their work is durable',
    example: 'pipeline stop postgres-cdc -c alluvium.yaml',
  })
  withLakeOptions(command)
    .option('--wait <time>', 'how long to wait for a process that does not end', parseTime, 120_000)
    .action(
      exiting(context, (name: string | undefined, options: StopOptions) => stop(name, options, context)),
    )
}

async function stop(name: string | undefined, options: StopOptions, context: CliContext): Promise<ExitCode> {
  const { config, store } = await openLakeOf(options, context)
  const pipeline = selectPipeline(config, { name }).name
  const ports = { store, clock: systemClock, random: systemRandom }
  const running = () => runningProcesses(store, systemClock, pipeline)
  const before = (await running()).length
  const signals = abortOnSignals()
  let left = before
  try {
    const limits = { lifeMs: STOP_LIFE_MS, waitMs: options.wait, signal: signals.signal }
    if (before > 0) {
      const until = systemClock.monotonicMs() + options.wait
      const { request } = await askProcesses(ports, pipeline, { ask: { kind: 'stop' }, ...limits })
      while (left > 0 && systemClock.monotonicMs() < until && !signals.signal.aborted) {
        await systemClock.sleep(POLL_MS, signals.signal)
        left = (await running()).length
      }
      await new RequestBox(ports, pipeline).clear(request)
    }
  } finally {
    signals.release()
  }
  context.stdout.write(
    options.json === true
      ? `${toJson({ pipeline, stopped: before - left, running: left })}\n`
      : `${pipeline}: ${before === 0 ? 'no process runs it' : `${before - left} process(es) ended, ${left} left`}\n`,
  )
  return left === 0 ? EXIT.ok : EXIT.failed
}
