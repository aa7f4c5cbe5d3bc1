import type { Command } from 'commander'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { findTable } from './find-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { parseCount, parseNames, parseVersion } from './option-values.ts'
import { printable } from './output.ts'
import { shownColumns, writeRows } from './row-output.ts'

interface HeadOptions extends LakeOptions {
  readonly rows: number
  readonly version?: number
  readonly columns?: readonly string[]
  readonly allColumns?: boolean
}

/** `alluvium table head NAME` */
export function registerTableHead(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'head <name>',
    summary: 'show some rows of a table; the name is schema.table, or a path in the lake',
    example: 'table head inventory.customers -n 5 --columns id,email',
  })
  withLakeOptions(command)
    .option('-n, --rows <count>', 'how many rows', parseCount, 10)
    .option('--version <version>', 'the table as it was at a version', parseVersion)
    .option('--columns <names>', 'these columns only: a,b', parseNames)
    .option('--all-columns', 'also our own columns (_cdc_…)')
    .action(exiting(context, (name: string, options: HeadOptions) => head(name, options, context)))
}

async function head(name: string, options: HeadOptions, context: CliContext): Promise<ExitCode> {
  const { rows: limit, version, json } = options
  const lake = await openLakeOf(options, context)
  const table = await findTable(lake, name, version === undefined ? {} : { version })
  const columns = shownColumns(table.schema, options)
  const { fields } = table.select(columns)
  const count = await writeRows(table.rows({ columns, limit }), fields, json === true, context.stdout)
  if (count === 0 && json !== true) {
    context.stdout.write(`${printable(name)} has no rows at version ${table.version}\n`)
  }
  return EXIT.ok
}
