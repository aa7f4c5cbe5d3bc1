import type { Command } from 'commander'
import { type PastCheck, readProofs } from '../../dq/proof-log.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { instantText } from './measures.ts'
import { parseCount, parseNames } from './option-values.ts'
import { formatTable, type TableColumn, toJson } from './output.ts'

interface HistoryOptions extends LakeOptions {
  readonly tables?: readonly string[]
  readonly checks: number
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'time (UTC)' },
  { title: 'table' },
  { title: 'check' },
  { title: 'verdict' },
  { title: 'source rows', align: 'right' },
  { title: 'lake rows', align: 'right' },
  { title: 'differ', align: 'right' },
  { title: 'deferred', align: 'right' },
  { title: 'version', align: 'right' },
  { title: 'verified through' },
  { title: 'detail' },
]

/** `alluvium dq history` */
export function registerDqHistory(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'history',
    summary: 'show what checks have found, the newest first',
    example: 'dq history --tables public.customers -n 20',
  })
  withLakeOptions(command)
    .option('--tables <names>', 'these only: schema.table,schema.table', parseNames)
    .option('-n, --checks <count>', 'how many', parseCount, 50)
    .action(exiting(context, (options: HistoryOptions) => history(options, context)))
}

async function history(options: HistoryOptions, context: CliContext): Promise<ExitCode> {
  const { stdout } = context
  const { store } = await openLakeOf(options, context)
  const past = await readProofs(store, options.checks, options.tables ?? null)
  if (options.json === true) for (const check of past) stdout.write(`${toJson(check)}\n`)
  else if (past.length === 0) stdout.write(`nothing was checked yet in ${store.location}\n`)
  else stdout.write(formatTable(COLUMNS, past.map(asLine), stdout.columns))
  return EXIT.ok
}

function asLine(past: PastCheck) {
  const { startedMs, table, check, verdict, sourceRows, lakeRows, mismatches, deferred } = past
  const { version, verifiedThrough, detail } = past
  return [
    ...[instantText(startedMs), table, check, verdict, sourceRows, lakeRows, mismatches, deferred],
    ...[version === null ? null : String(version), verifiedThrough?.lsn ?? null, detail],
  ]
}
