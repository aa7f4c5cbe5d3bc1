import { CONFIG_FILE, loadConfig } from '../cli/load-config.ts'
import type { Config, PipelineConfig } from '../config/config.ts'
import { parseConfig } from '../config/parse-config.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { hostEnvironment } from '../io/process-environment.ts'

/** Which pipeline a program means. */
export interface PipelineChoice {
  /** A file, or what would stand in it (`docs/guide/configuration.md`); default: `alluvium.yaml`. */
  readonly config?: string | Readonly<Record<string, unknown>>
  /** Needed where the configuration has several. */
  readonly pipelineName?: string
}

export interface ConfiguredPipeline {
  readonly config: Config
  readonly pipeline: PipelineConfig
}

/**
 * The configuration with the variables of this process put in, and one pipeline of it.
 *
 * @throws EngineError `E_NO_CONFIG` or `E_PIPELINE` (usage), `E_CONFIG` naming every fault
 */
export async function configuredPipeline(choice: PipelineChoice): Promise<ConfiguredPipeline> {
  const { config: given = CONFIG_FILE, pipelineName } = choice
  const environment = hostEnvironment()
  const config =
    typeof given === 'string'
      ? await loadConfig(given, environment)
      : parseConfig(JSON.stringify(given), 'the configuration', environment)
  const pipeline = selectPipeline(config, { name: pipelineName })
  return { config, pipeline }
}
