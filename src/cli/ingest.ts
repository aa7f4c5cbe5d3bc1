import type { Command } from 'commander'
import type { PartitionRange } from '../../core/ports.ts'
import type { Config } from '../config/config.ts'
import { defaultConfig, parseLake } from '../config/default-config.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { openEngine } from '../engine.ts'
import { createLogger, parseLogLevel } from '../io/logger.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import type { RunReport } from '../pipeline/pipeline.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { closingJson, closingText } from './ingest-report.ts'
import { CONFIG_FILE, findConfig, loadConfig } from './load-config.ts'
import { createProgress } from './progress.ts'

interface IngestOptions {
  readonly config?: string
  readonly from?: string
  readonly lake?: string
  readonly state?: string
  readonly untilEnd?: boolean
  readonly json?: boolean
}

/** `alluvium ingest`: runs one pipeline. */
export function registerIngest(program: Command, context: CliContext): void {
  const command = addCommand(program, {
    usage: 'ingest [pipeline]',
    summary: 'read change events and keep the tables up to date',
    example: 'ingest --from fixtures/debezium/envelope-schema --until-end --lake ./lake',
  })
  command
    .option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE} when there is one)`)
    .option('--from <dir>', "recorded topics instead of the pipeline's source")
    .option('--until-end', 'end when every partition has been read to the end it had at the start')
    .option('--lake <dir>', 'where the tables lie, instead of what the configuration says')
    .option('--state <dir>', 'for local state that may be deleted at any time', '.alluvium')
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
  const pipelineConfig = selectPipeline(config, {
    ...(name === undefined ? {} : { name }),
    ...(options.from === undefined ? {} : { from: options.from }),
  })
  const { environment, stderr, stdout } = context
  for (const warning of config.warnings) stderr.write(`warning: ${warning}\n`)
  const level = parseLogLevel(environment('LOG_LEVEL') ?? 'warn')
  const logger = createLogger(level, (line) => stderr.write(line))
  const failpoint = environment('ALLUVIUM_FAILPOINT')
  const { pipeline, source } = await openEngine({ config, pipeline: pipelineConfig, logger, failpoint })
  const untilEnd = options.untilEnd === true
  const progress = createProgress({
    terminal: stderr,
    clock: systemClock,
    total: untilEnd ? recordsIn(await source.partitions()) : null,
    isSilent: options.json === true,
  })
  const signals = abortOnSignals()
  try {
    const report = await pipeline.run({
      untilEnd,
      signal: signals.signal,
      onProgress: (state) => progress.update(state),
    })
    progress.stop()
    stdout.write(
      options.json === true
        ? `${closingJson(report)}\n`
        : closingText(report, config.lake.location, stdout.columns),
    )
    const interrupted = signals.exitCode()
    return untilEnd && interrupted !== null ? interrupted : exitCodeFor(report)
  } finally {
    progress.stop()
    signals.release()
    await source.close()
  }
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
