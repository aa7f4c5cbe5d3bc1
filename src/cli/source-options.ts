import type { Command } from 'commander'
import type { PipelineConfig } from '../config/config.ts'
import { DEFAULT_LAKE, DEFAULT_PIPELINE, defaultConfig } from '../config/default-config.ts'
import { parseConfig } from '../config/parse-config.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import type { CliContext } from './context.ts'
import { CONFIG_FILE, findConfig, loadConfig } from './load-config.ts'

/** Options of commands that look at topics. */
export interface SourceOptions {
  readonly config?: string
  readonly from?: string
  readonly pipeline?: string
  readonly brokers?: string
  readonly json?: boolean
}

export function withSourceOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE} when there is one)`)
    .option('--from <dir>', "directory of recorded topics, instead of a pipeline's source")
    .option('--pipeline <name>', 'only the source of this pipeline')
}

/** For commands that only look: brokers that let anybody in need no configuration. */
export function withBrokers(command: Command): Command {
  return command.option(
    '--brokers <addresses>',
    'all topics of these brokers (host:port, with commas), without a configuration',
  )
}

/**
 * The pipelines whose sources are meant.
 *
 * @throws EngineError `E_NO_CONFIG` (usage) when there is neither a configuration nor a directory
 */
export async function sourcesOf(
  { config: file, from, pipeline: name, brokers }: SourceOptions,
  { environment }: CliContext,
): Promise<readonly PipelineConfig[]> {
  if (brokers !== undefined) return [pipelineOf(brokers)]
  const found = await findConfig(file, environment)
  const config =
    found ?? (from === undefined ? await loadConfig(CONFIG_FILE, environment) : defaultConfig({ from }))
  if (name === undefined && from === undefined) return config.pipelines
  const choice = { ...(name === undefined ? {} : { name }), ...(from === undefined ? {} : { from }) }
  return [selectPipeline(config, choice)]
}

/** @throws EngineError `E_CONFIG` when an address is none */
function pipelineOf(brokers: string): PipelineConfig {
  const pipelines = { [DEFAULT_PIPELINE]: { source: { kafka: { brokers, topics: ['*'] } } } }
  return parseConfig(JSON.stringify({ lake: DEFAULT_LAKE, pipelines }), '--brokers', () => undefined)
    .pipelines[0]!
}
