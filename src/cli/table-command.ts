import type { Command } from 'commander'
import type { CliContext } from './context.ts'
import { registerTableChanges } from './table-changes.ts'
import { registerTableDdl } from './table-ddl.ts'
import { registerTableDrop } from './table-drop.ts'
import { registerTableHead } from './table-head.ts'
import { registerTableHistory } from './table-history.ts'
import { registerTableList } from './table-list.ts'
import { registerTableOptimize } from './table-optimize.ts'
import { registerTablePause } from './table-pause.ts'
import { registerTableRestore } from './table-restore.ts'
import { registerTableResume } from './table-resume.ts'
import { registerTableVacuum } from './table-vacuum.ts'

/** `alluvium table …` */
export function registerTable(program: Command, context: CliContext): void {
  const group = program
    .command('table')
    .description('look at the tables of a lake, hold or resume them, and keep them in shape')
  registerTableList(group, context)
  registerTableHead(group, context)
  registerTableHistory(group, context)
  registerTableChanges(group, context)
  registerTableDdl(group, context)
  registerTablePause(group, context)
  registerTableResume(group, context)
  registerTableOptimize(group, context)
  registerTableVacuum(group, context)
  registerTableRestore(group, context)
  registerTableDrop(group, context)
}
