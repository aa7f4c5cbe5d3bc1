import type { Command } from 'commander'
import { optimizeTable } from '../../writers/merge/optimize-table.ts'
import { abortOnSignals } from '../io/signals.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { findTable } from './find-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { sizeText } from './measures.ts'
import { openTablePorts } from './open-table-ports.ts'
import { formatCount, toJson } from './output.ts'

/** `alluvium table optimize NAME` */
export function registerTableOptimize(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'optimize <name>',
    summary:
      'merge the small files of a table now, and write files anew of which rows are deleted; a process that writes ' +
      'the table goes on, and reads its keys once more',
    example: 'table optimize inventory.orders',
  })
  withLakeOptions(command).action(
    exiting(context, (name: string, options: LakeOptions) => optimize(name, options, context)),
  )
}

async function optimize(name: string, options: LakeOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const table = await findTable(lake, name)
  const signals = abortOnSignals()
  try {
    const reports = await optimizeTable(await openTablePorts(lake, context), table.path, signals.signal)
    const sum = (of: (report: (typeof reports)[number]) => number) =>
      reports.reduce((total, report) => total + of(report), 0)
    const result = {
      merges: reports.length,
      filesRemoved: sum(({ filesRemoved }) => filesRemoved),
      bytesRead: sum(({ bytesRead }) => bytesRead),
      bytesWritten: sum(({ bytesWritten }) => bytesWritten),
      rows: sum(({ rows }) => rows),
    }
    const text =
      reports.length === 0
        ? 'there is nothing to merge'
        : `${formatCount(result.filesRemoved)} files (${sizeText(result.bytesRead)}) became ` +
          `${formatCount(result.merges)} (${sizeText(result.bytesWritten)})`
    context.stdout.write(`${options.json === true ? toJson(result) : text}\n`)
    return EXIT.ok
  } finally {
    signals.release()
  }
}
