import type { Command } from 'commander'
import type { PipelineConfig } from '../config/config.ts'
import { defaultConfig } from '../config/default-config.ts'
import { applyEnvironment } from '../config/environment-names.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import type { Upstream } from '../config/upstream.ts'
import type { CliContext } from './context.ts'
import { CONFIG_FILE, findConfig } from './load-config.ts'
import { parseNames } from './option-values.ts'

/** Options of commands that are about what stands before a pipeline's topics. */
export interface UpstreamOptions {
  readonly config?: string
  readonly pipeline?: string
  readonly url?: readonly string[]
  readonly json?: boolean
}

export function withUpstreamOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', `configuration file (default: ${CONFIG_FILE} when there is one)`)
    .option('--pipeline <name>', 'the pipeline that is meant, where there are several')
    .option(
      '--url <urls>',
      'REST addresses of Kafka Connect, instead of what the configuration says',
      parseNames,
    )
}

export interface PipelineUpstream {
  readonly pipeline: PipelineConfig
  readonly upstream: Upstream
}

/** What the configuration says; without one the variables alone. */
export async function upstreamOf(
  { config: file, pipeline: name, url }: UpstreamOptions,
  { environment }: CliContext,
): Promise<PipelineUpstream> {
  const config =
    (await findConfig(file, environment)) ?? applyEnvironment(defaultConfig({ from: '.' }), environment)
  const pipeline = selectPipeline(config, { name })
  const { postgres, connector } = config.upstreams.get(pipeline.name)!
  return {
    pipeline,
    upstream: { postgres, connector: url === undefined ? connector : { ...connector, urls: url } },
  }
}
