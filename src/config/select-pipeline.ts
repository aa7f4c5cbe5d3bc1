import { EngineError } from '../../core/errors.ts'
import type { Config, PipelineConfig } from './config.ts'

export interface PipelineChoice {
  /** Needed where the configuration has several. */
  readonly name?: string | undefined
  /** `--from DIR`: recorded topics instead of the pipeline's own source. */
  readonly from?: string
}

/** @throws EngineError `E_PIPELINE` (usage) when it is not clear which one is meant */
export function selectPipeline(config: Config, choice: PipelineChoice): PipelineConfig {
  const known = config.pipelines.map((pipeline) => pipeline.name)
  if (known.length === 0) throw unclear('the configuration has no pipeline; add one under `pipelines:`')
  if (choice.name === undefined && known.length > 1)
    throw unclear(`name one of the pipelines: ${known.join(', ')}`)
  const pipeline = config.pipelines.find(({ name }) => name === (choice.name ?? known[0]))
  if (pipeline === undefined) throw unclear(`there is no pipeline ${choice.name}; known: ${known.join(', ')}`)
  return choice.from === undefined
    ? pipeline
    : { ...pipeline, source: { kind: 'files', directory: choice.from } }
}

function unclear(message: string): EngineError {
  return new EngineError('E_PIPELINE', 'usage', message)
}
