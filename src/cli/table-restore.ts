import type { Command } from 'commander'
import { restoreTable } from '../../writers/table/restore-table.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { findTable } from './find-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { openTablePorts } from './open-table-ports.ts'
import { parseVersion } from './option-values.ts'
import { formatCount, toJson } from './output.ts'

interface RestoreOptions extends LakeOptions {
  readonly to: number
}

/** `alluvium table restore NAME --to VERSION` */
export function registerTableRestore(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'restore <name>',
    summary: 'commit a version that reads as an older one did; how far topics were read stays as it is',
    example: 'table restore inventory.orders --to 120',
  })
  withLakeOptions(command)
    .requiredOption('--to <version>', 'the version to go back to (table history lists them)', parseVersion)
    .action(exiting(context, (name: string, options: RestoreOptions) => restore(name, options, context)))
}

async function restore(name: string, options: RestoreOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const table = await findTable(lake, name)
  const report = await restoreTable(await openTablePorts(lake, context), table.path, options.to)
  const { stdout } = context
  if (options.json === true) {
    const none = { version: table.version, filesRestored: 0, filesRemoved: 0 }
    stdout.write(`${toJson(report ?? none)}\n`)
  } else if (report === null) {
    stdout.write(`the table reads as version ${options.to} already\n`)
  } else {
    const { version, filesRestored, filesRemoved } = report
    stdout.write(
      `version ${version} reads as ${options.to} did: ${formatCount(filesRestored)} files came back, ` +
        `${formatCount(filesRemoved)} went\n` +
        'what the topics told after that version is not taken in again by itself: the table goes on where it had come to;\n' +
        `an engine that writes it stops it: alluvium table resume ${name}\n`,
    )
  }
  return EXIT.ok
}
