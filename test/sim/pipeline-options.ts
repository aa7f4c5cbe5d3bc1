import type { BatchBounds, PipelineConfig } from '../../src/config/config.ts'
import { defaultConfig } from '../../src/config/default-config.ts'
import type { PipelineOptions } from '../../src/pipeline/pipeline.ts'
import { pipelineOptions } from '../../src/pipeline-options.ts'
import type { TablePlan } from './table-plan.ts'

/** As the engine makes them of a configuration that names these tables. */
export function optionsOf(tables: readonly TablePlan[], batch: BatchBounds): PipelineOptions {
  const [defaults] = defaultConfig({ from: 'sim' }).pipelines
  const { tableDefaults } = defaults!
  const named = tables.map(({ name, contract }) => [name, { ...tableDefaults, ...contract, name }] as const)
  const config: PipelineConfig = { ...defaults!, batch, tables: new Map(named) }
  return pipelineOptions(config)
}
