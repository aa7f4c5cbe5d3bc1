import type { Command } from 'commander'
import { type Cell, field } from '../../schemas/delta-types.ts'
import type { TableChange } from '../../writers/table/change-feed.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { findTable } from './find-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { parseNames, parseVersion } from './option-values.ts'
import { printable } from './output.ts'
import { shownColumns, writeRows } from './row-output.ts'

interface ChangesOptions extends LakeOptions {
  readonly from: number
  readonly to?: number
  readonly columns?: readonly string[]
  readonly allColumns?: boolean
}

const FEED_FIELDS = [
  field('_change_type', 'string'),
  field('_commit_version', 'long'),
  field('_commit_timestamp', 'timestamp'),
]

/** `alluvium table changes NAME --from V` */
export function registerTableChanges(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'changes <name>',
    summary: 'show the change feed of a table, both versions included',
    example: 'table changes inventory.customers --from 3 --to 5 --json',
  })
  withLakeOptions(command)
    .requiredOption('--from <version>', 'the first version', parseVersion)
    .option('--to <version>', 'the last version (default: the newest)', parseVersion)
    .option('--columns <names>', 'these columns only: a,b', parseNames)
    .option('--all-columns', 'also our own columns (_cdc_…)')
    .action(exiting(context, (name: string, options: ChangesOptions) => changes(name, options, context)))
}

async function changes(name: string, options: ChangesOptions, context: CliContext): Promise<ExitCode> {
  const { from, to, json } = options
  const lake = await openLakeOf(options, context)
  const table = await findTable(lake, name, to === undefined ? {} : { version: to })
  const columns = shownColumns(table.schema, options)
  const fields = [...FEED_FIELDS, ...table.select(columns).fields]
  const rows = feedRows(table.changes({ from, columns }))
  const count = await writeRows(rows, fields, json === true, context.stdout)
  if (count === 0 && json !== true) {
    context.stdout.write(`${printable(name)} has no changes from version ${from} to ${table.version}\n`)
  }
  return EXIT.ok
}

async function* feedRows(changes: AsyncIterable<TableChange>): AsyncGenerator<readonly Cell[]> {
  for await (const { type, version, timestampMs, cells } of changes) {
    yield [type, BigInt(version), BigInt(timestampMs) * 1000n, ...cells]
  }
}
