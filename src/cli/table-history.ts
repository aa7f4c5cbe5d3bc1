import type { Command } from 'commander'
import { type HistoryEntry, readHistory } from '../../writers/table/table-history.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { findTable } from './find-table.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { instantJson, instantText } from './measures.ts'
import { parseCount } from './option-values.ts'
import { formatTable, type TableCell, type TableColumn, toJson } from './output.ts'

interface HistoryOptions extends LakeOptions {
  readonly versions: number
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'version', align: 'right' },
  { title: 'time (UTC)' },
  { title: 'operation' },
  { title: 'inserted', align: 'right' },
  { title: 'updated', align: 'right' },
  { title: 'deleted', align: 'right' },
  { title: 'files', align: 'right' },
  { title: 'vectors', align: 'right' },
  { title: 'engine' },
]

/** `alluvium table history NAME` */
export function registerTableHistory(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'history <name>',
    summary: 'show what the newest versions of a table did, as its log tells it',
    example: 'table history inventory.customers -n 5',
  })
  withLakeOptions(command)
    .option('-n, --versions <count>', 'how many versions', parseCount, 20)
    .action(exiting(context, (name: string, options: HistoryOptions) => history(name, options, context)))
}

async function history(name: string, options: HistoryOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const table = await findTable(lake, name)
  const entries = await readHistory(lake.store, table.path, table.version, options.versions)
  const { stdout } = context
  if (options.json === true) for (const entry of entries) stdout.write(`${toJson(asJson(entry))}\n`)
  else stdout.write(formatTable(COLUMNS, entries.map(asLine), stdout.columns))
  return EXIT.ok
}

function asJson({ timestampMs, ...entry }: HistoryEntry): unknown {
  const { version, ...rest } = entry
  return { version, timestamp: timestampMs === null ? null : instantJson(timestampMs), ...rest }
}

function asLine(entry: HistoryEntry): readonly TableCell[] {
  const { version, timestampMs, operation, inserted, updated, deleted } = entry
  return [
    version,
    timestampMs === null ? '?' : instantText(timestampMs),
    operation,
    inserted,
    updated,
    deleted,
    `+${entry.filesAdded} -${entry.filesRemoved}`,
    entry.vectorsChanged,
    entry.engine,
  ]
}
