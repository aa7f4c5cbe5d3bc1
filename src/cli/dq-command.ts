import type { Command } from 'commander'
import type { CliContext } from './context.ts'
import { registerDqHistory } from './dq-history.ts'
import { registerDqRun } from './dq-run.ts'
import { registerDqSchedule } from './dq-schedule.ts'

/** `alluvium dq …` */
export function registerDq(program: Command, context: CliContext): void {
  const group = program.command('dq').description('prove that the lake equals the source')
  registerDqRun(group, context)
  registerDqSchedule(group, context)
  registerDqHistory(group, context)
}
