import type { Command } from 'commander'
import type { CliContext } from './context.ts'
import { registerDlqList } from './dlq-list.ts'
import { registerDlqReplay } from './dlq-replay.ts'
import { registerDlqShow } from './dlq-show.ts'

/** `alluvium dlq …` */
export function registerDlq(program: Command, context: CliContext): void {
  const group = program.command('dlq').description('look at the dead letters of a lake, and replay them')
  registerDlqList(group, context)
  registerDlqShow(group, context)
  registerDlqReplay(group, context)
}
