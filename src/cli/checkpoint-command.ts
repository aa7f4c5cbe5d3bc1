import type { Command } from 'commander'
import { registerCheckpointList } from './checkpoint-list.ts'
import { registerCheckpointReset } from './checkpoint-reset.ts'
import type { CliContext } from './context.ts'

/** `alluvium checkpoint …` */
export function registerCheckpoint(program: Command, context: CliContext): void {
  const group = program.command('checkpoint').description('look at how far topics were read, and move it')
  registerCheckpointList(group, context)
  registerCheckpointReset(group, context)
}
