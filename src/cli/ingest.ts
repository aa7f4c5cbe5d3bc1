import type { Command } from 'commander'
import { EngineError, messageOf } from '../../core/errors.ts'
import { type Observe, unobserved } from '../../core/fact.ts'
import type { Logger, PartitionRange } from '../../core/ports.ts'
import type { Config, PipelineConfig } from '../config/config.ts'
import { defaultConfig, parseLake } from '../config/default-config.ts'
import { redactSecrets } from '../config/secret.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { openEngine } from '../engine.ts'
import { createLogger, parseLogLevel } from '../io/logger.ts'
import { packageVersion } from '../io/package-version.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import type { RunReport } from '../pipeline/pipeline.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'
import { closingJson, closingText } from './ingest-report.ts'
import { CONFIG_FILE, findConfig, loadConfig } from './load-config.ts'
import { printable, toJson } from './output.ts'
import type { ProcessWatch } from './process-watch.ts'
import { createProgress } from './progress.ts'

const DEFAULT_STATE = '.alluvium'

interface IngestOptions {
  readonly config?: string
  readonly from?: string
  readonly lake?: string
  readonly state?: string
  readonly untilEnd?: boolean
  readonly json?: boolean
  readonly traces?: boolean
}

/** What all pipelines of a process have in common. */
interface ProcessRun {
  readonly config: Config
  readonly options: IngestOptions
  readonly context: CliContext
  readonly logger: Logger
  /** `null`: nobody looks. */
  readonly watch: ProcessWatch | null
  readonly signal: AbortSignal
  readonly pipelineCount: number
}

/** `alluvium ingest`: runs one pipeline, or all of the configuration. */
export function registerIngest(program: Command, context: CliContext): void {
  const example = 'ingest --from fixtures/debezium/envelope-schema --until-end --lake ./lake'
  addIngest(program, context, 'ingest [pipeline]', example)
}

/** The same under another name: `alluvium pipeline start`. */
export function addIngest(parent: Command, context: CliContext, usage: string, example: string): void {
  const summary = 'read change events and keep the tables up to date; without a name for all pipelines'
  const command = addCommand(parent, { usage, summary, example })
  command
    .option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE} when there is one)`)
    .option('--from <dir>', "recorded topics instead of the pipeline's source")
    .option('--until-end', 'end when every partition has been read to the end it had at the start')
    .option('--lake <dir>', 'where the tables lie, instead of what the configuration says')
    .option('--traces', 'tell an OpenTelemetry SDK, loaded with `node --import`, of every batch')
    .option('--state <dir>', 'for local state that may be deleted at any time', DEFAULT_STATE)
    .action(
      exiting(context, (name: string | undefined, options: IngestOptions) => ingest(name, options, context)),
    )
}

async function ingest(
  name: string | undefined,
  options: IngestOptions,
  context: CliContext,
): Promise<ExitCode> {
  const config = await configOf(options, context)
  const pipelines = chosen(config, name, options)
  for (const warning of config.warnings) context.stderr.write(`warning: ${warning}\n`)
  const signals = abortOnSignals()
  const logger = loggerOf(context)
  const say = (line: string) => void (options.json === true || context.stderr.write(`${line}\n`))
  // A run to the end is over before anybody could look.
  const watch = options.untilEnd === true ? null : await startWatch(config, pipelines, logger, say)
  try {
    const [only] = pipelines
    const { signal } = signals
    const run = { config, options, context, logger, watch, signal, pipelineCount: pipelines.length }
    const codes =
      pipelines.length === 1
        ? [await runOne(only!, run)]
        : await Promise.all(pipelines.map((each) => runBeside(each, run)))
    const interrupted = options.untilEnd === true ? signals.exitCode() : null
    return interrupted ?? worst(codes)
  } finally {
    signals.release()
    await watch?.close()
  }
}

/** One source cannot stand for those of several pipelines. */
function chosen(
  config: Config,
  name: string | undefined,
  { from }: IngestOptions,
): readonly PipelineConfig[] {
  if (name === undefined && from === undefined && config.pipelines.length > 1) return config.pipelines
  const choice = { ...(name === undefined ? {} : { name }), ...(from === undefined ? {} : { from }) }
  return [selectPipeline(config, choice)]
}

/** Its failure is told, and ends no other pipeline. */
async function runBeside(pipeline: PipelineConfig, run: ProcessRun): Promise<ExitCode> {
  const { name } = pipeline
  const { json } = run.options
  const { stdout, stderr } = run.context
  try {
    return await runOne(pipeline, run)
  } catch (error) {
    const code = error instanceof EngineError ? error.code : 'E_BUG'
    run.watch?.of(pipeline).noteFailure(code)
    const message = redactSecrets(messageOf(error))
    stderr.write(`error: pipeline ${name} ended, the others go on: ${printable(message)} (${code})\n`)
    if (json === true) stdout.write(`${toJson({ pipeline: name, error: { code, message } })}\n`)
    return exitCodeOf(error)
  }
}

/** From best to worst. */
const SEVERITY: readonly ExitCode[] = [EXIT.ok, EXIT.problem, EXIT.unclear, EXIT.failed, EXIT.usage]

function worst(codes: readonly ExitCode[]): ExitCode {
  return SEVERITY[Math.max(...codes.map((code) => SEVERITY.indexOf(code)))]!
}

async function runOne(pipelineConfig: PipelineConfig, run: ProcessRun): Promise<ExitCode> {
  const { config, options, context, logger, signal, pipelineCount } = run
  const { environment, stderr, stdout } = context
  const isOne = config.pipelines.length === 1
  const failpoint = environment('ALLUVIUM_FAILPOINT')
  const watch = run.watch?.of(pipelineConfig)
  const spans = options.traces === true ? await openSpans(pipelineConfig.name) : unobserved
  const seen = watch?.observe ?? unobserved
  const observe: Observe = (fact) => {
    seen(fact)
    spans(fact)
  }
  const engine = await openEngine({
    ...{ config, pipeline: pipelineConfig, logger, failpoint, pipelineCount, observe },
    stateDirectory: options.state ?? DEFAULT_STATE,
  })
  const { pipeline, source, close } = engine
  const untilEnd = options.untilEnd === true
  const progress = createProgress({
    terminal: stderr,
    clock: systemClock,
    total: untilEnd ? recordsIn(await source.partitions()) : null,
    isSilent: options.json === true || !isOne,
  })
  try {
    if (watch !== undefined) await run.watch?.follow(watch, engine)
    const report = await pipeline.run({ untilEnd, signal, onProgress: (state) => progress.update(state) })
    progress.stop()
    const { name } = pipelineConfig
    const text = isOne ? '' : `pipeline ${name}\n`
    stdout.write(
      options.json === true
        ? `${closingJson(report, isOne ? null : name)}\n`
        : text + closingText(report, config.lake.location, stdout.columns),
    )
    return exitCodeFor(report)
  } finally {
    progress.stop()
    await close()
  }
}

/** Metrics and HTTP are loaded only by a process that stays up. */
async function startWatch(...run: Parameters<typeof ProcessWatch.start>): Promise<ProcessWatch> {
  const { ProcessWatch } = await import('./process-watch.ts')
  return ProcessWatch.start(...run)
}

/** The interface to an SDK is loaded only where one is to be told. */
async function openSpans(pipeline: string): Promise<Observe> {
  const { spansOf } = await import('../ops/spans.ts')
  return spansOf(pipeline, packageVersion())
}

function loggerOf({ environment, stderr }: CliContext): Logger {
  const level = parseLogLevel(environment('LOG_LEVEL') ?? environment('PGSYNC_LOG_LEVEL') ?? 'warn')
  return createLogger(level, (line) => stderr.write(line), stderr.isInteractive)
}

async function configOf(options: IngestOptions, context: CliContext): Promise<Config> {
  const { environment } = context
  const config = await findConfig(options.config, environment)
  if (config === null && options.from !== undefined) {
    return defaultConfig({
      from: options.from,
      ...(options.lake === undefined ? {} : { lake: options.lake }),
    })
  }
  const known = config ?? (await loadConfig(CONFIG_FILE, environment))
  return options.lake === undefined ? known : { ...known, lake: parseLake(options.lake) }
}

function recordsIn(partitions: readonly PartitionRange[]): number {
  return partitions.reduce((sum, { startOffset, endOffset }) => sum + Number(endOffset - startOffset), 0)
}

/** A stopped table is a failure, dead letters are a problem that was found (design §4). */
function exitCodeFor(report: RunReport): ExitCode {
  if (report.tables.some((table) => table.stopped !== null)) return EXIT.failed
  return report.tally.deadLetters > 0 ? EXIT.problem : EXIT.ok
}
