import type { Command } from 'commander'
import { vacuumTable } from '../../writers/table/vacuum-table.ts'
import { systemClock } from '../io/system-clock.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { findTable } from './find-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { durationText, sizeText } from './measures.ts'
import { parseTime } from './option-values.ts'
import { formatCount, printable, toJson } from './output.ts'

interface VacuumCommandOptions extends LakeOptions {
  readonly retention?: number
  readonly dryRun?: boolean
}

/** `alluvium table vacuum NAME` */
export function registerTableVacuum(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'vacuum <name>',
    summary:
      'delete the files that a table no longer needs: versions and change feeds older than the retention are then gone',
    example: 'table vacuum inventory.orders --retention 7d --dry-run',
  })
  withLakeOptions(command)
    .option(
      '--retention <time>',
      'how long removed files are kept for readers of older versions (default: what the table says)',
      parseTime,
    )
    .option('--dry-run', 'list the files, delete none')
    .action(exiting(context, (name: string, options: VacuumCommandOptions) => vacuum(name, options, context)))
}

async function vacuum(name: string, options: VacuumCommandOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const table = await findTable(lake, name)
  const dryRun = options.dryRun === true
  const asked = options.retention === undefined ? {} : { retentionMs: options.retention }
  const report = (await vacuumTable(lake.store, table.path, {
    nowMs: systemClock.nowMs(),
    dryRun,
    ...asked,
  }))!
  const { files, logFiles, retentionMs } = report
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  const { stdout } = context
  if (options.json === true) {
    const paths = files.map(({ path }) => path)
    stdout.write(`${toJson({ dryRun, retentionMs, files: paths, sizeBytes, logFiles })}\n`)
    return EXIT.ok
  }
  if (dryRun) for (const { path } of files) stdout.write(`${printable(path)}\n`)
  const what = `${formatCount(files.length)} files (${sizeText(sizeBytes)}) older than ${durationText(retentionMs)}`
  stdout.write(
    dryRun ? `${what} would go\n` : `deleted ${what}, and ${formatCount(logFiles)} files of the log\n`,
  )
  return EXIT.ok
}
