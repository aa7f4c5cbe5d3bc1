import type { Command } from 'commander'
import type { ObjectStore } from '../../core/ports.ts'
import { type BenchMode, type BenchReport, runBench } from '../bench/bench-run.ts'
import { type Latency, RequestClock } from '../bench/request-times.ts'
import type { Config } from '../config/config.ts'
import { DEFAULT_GRACE_MS, defaultBatch, parseLake } from '../config/default-config.ts'
import { openPorts } from '../engine.ts'
import { removeFolder } from '../io/remove-folder.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemRandom } from '../io/system-random.ts'
import { commandLogger } from './command-logger.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { configOfLake, type LakeOptions, withLakeOptions } from './lake-options.ts'
import { parseTime } from './option-values.ts'
import { formatCount, formatTable, printable, type TableColumn, toJson } from './output.ts'

interface BenchCommandOptions extends LakeOptions {
  readonly time: number
}

const TIME_MS = 20_000
const MODES: readonly BenchMode[] = ['append', 'upsert']
const RATES: readonly TableColumn[] = [
  { title: 'work' },
  { title: 'events', align: 'right' },
  { title: 'seconds', align: 'right' },
  { title: 'events/s', align: 'right' },
  { title: 'commits', align: 'right' },
  { title: 'batch p50 ms', align: 'right' },
  { title: 'p99', align: 'right' },
  { title: 'log entry p50 ms', align: 'right' },
  { title: 'p99', align: 'right' },
]
const REQUESTS: readonly TableColumn[] = [
  { title: 'work' },
  { title: 'request' },
  { title: 'count', align: 'right' },
  { title: 'p50 ms', align: 'right' },
  { title: 'p99', align: 'right' },
]

/** `alluvium bench` */
export function registerBench(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'bench',
    summary:
      'measure this machine and your store: made-up changes into scratch tables below the lake, which are then removed',
    example: 'bench --lake s3://lake/delta --time 1m',
  })
  withLakeOptions(command)
    .option(
      '--time <time>',
      'how long changes come, half of it to be appended and half upserted',
      parseTime,
      TIME_MS,
    )
    .action(exiting(context, (options: BenchCommandOptions) => bench(options, context)))
}

async function bench(options: BenchCommandOptions, context: CliContext): Promise<ExitCode> {
  const scratch = scratchOf(await configOfLake(options, context))
  const signals = abortOnSignals()
  try {
    const reports: BenchReport[] = []
    for (const mode of MODES) {
      if (signals.signal.aborted) break
      reports.push(await runMode(mode, scratch, options.time / MODES.length, signals.signal, context))
    }
    if (options.json === true) context.stdout.write(`${toJson({ lake: scratch.lake.location, reports })}\n`)
    else print(reports, scratch, context)
    return signals.exitCode() === null ? EXIT.ok : EXIT.failed
  } finally {
    await remove(scratch, context)
    signals.release()
  }
}

/** The same lake, one folder deeper: hidden from whoever lists tables. */
function scratchOf(config: Config): Config {
  const id = Buffer.from(systemRandom.bytes(4)).toString('hex')
  return { ...config, lake: parseLake(`${config.lake.location.replace(/\/+$/, '')}/_bench-${id}`) }
}

async function runMode(
  mode: BenchMode,
  config: Config,
  timeMs: number,
  signal: AbortSignal,
  context: CliContext,
): Promise<BenchReport> {
  const clock = new RequestClock()
  const ports = await openPorts(config, warningsTo(context), undefined, clock.observe)
  const batch = defaultBatch(config.lake)
  return runBench(ports, clock, { mode, timeMs, batch, graceMs: DEFAULT_GRACE_MS, signal })
}

function warningsTo({ stderr }: CliContext) {
  return commandLogger({ stderr })
}

async function remove({ lake, store }: Config, context: CliContext): Promise<void> {
  if (lake.kind === 'local') {
    await removeFolder(lake.directory)
    return
  }
  const ports = await openPorts({ lake, store }, warningsTo(context), undefined)
  await deleteAll(ports.store)
}

async function deleteAll(store: ObjectStore): Promise<void> {
  for (const { path } of await store.list('vacuum.list', '')) await store.delete('vacuum.delete', path)
}

function print(reports: readonly BenchReport[], { lake }: Config, { stdout }: CliContext): void {
  const latency = ({ p50Ms, p99Ms }: Latency) => [p50Ms, p99Ms]
  const rates = reports.map((report) => [
    ...[report.mode, report.events, report.seconds, report.eventsPerSecond, report.commits],
    ...[...latency(report.commit), ...latency(report.logEntry)],
  ])
  const requests = reports.flatMap(({ mode, requests }) =>
    Object.entries(requests).map(([op, times]) => [mode, op, times.count, ...latency(times)]),
  )
  stdout.write(formatTable(RATES, rates, stdout.columns))
  stdout.write('\n')
  stdout.write(formatTable(REQUESTS, requests, stdout.columns))
  const total = reports
    .flatMap(({ requests }) => Object.values(requests))
    .reduce((sum, { count }) => sum + count, 0)
  stdout.write(`\n${formatCount(total)} requests; ${printable(lake.location)} is removed\n`)
}
