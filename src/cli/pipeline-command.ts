import type { Command } from 'commander'
import type { CliContext } from './context.ts'
import { addIngest } from './ingest.ts'
import { registerPipelineStatus } from './pipeline-status.ts'
import { registerPipelineStop } from './pipeline-stop.ts'

/** `alluvium pipeline …` */
export function registerPipeline(program: Command, context: CliContext): void {
  const group = program.command('pipeline').description('start, stop and look at pipelines')
  addIngest(group, context, 'start [pipeline]', 'pipeline start postgres-cdc -c alluvium.yaml')
  registerPipelineStatus(group, context)
  registerPipelineStop(group, context)
}
