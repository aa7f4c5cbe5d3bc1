import type { Command } from 'commander'
import { EngineError } from '../../core/errors.ts'
import { readVerified } from '../../dq/proof-log.ts'
import type { SourcePlace } from '../../dq/source-moment.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { listTables } from '../../writers/table/list-tables.ts'
import { type LogSize, readLogSize } from '../../writers/table/log-size.ts'
import { summariseTable, type TableSummary } from '../../writers/table/table-summary.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, type OpenLake, openLakeOf, withLakeOptions } from './lake-options.ts'
import { instantJson, instantText, shareText, sizeText } from './measures.ts'
import { formatCount, formatTable, printable, type TableCell, type TableColumn, toJson } from './output.ts'

interface ListOptions extends LakeOptions {
  readonly all?: boolean
}

/** One table of the list: what its log tells, or why it cannot be read. */
type ListedTable = { readonly path: string } & (
  | { readonly summary: TableSummary; readonly log: LogSize; readonly verified: SourcePlace | null }
  | { readonly problem: EngineError }
)

const COLUMNS: readonly TableColumn[] = [
  { title: 'table' },
  { title: 'version', align: 'right' },
  { title: 'rows', align: 'right' },
  { title: 'files', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'last commit (UTC)', isDetail: true },
  { title: 'verified (UTC)', isRare: true, isDetail: true },
  { title: 'mode', isDetail: true },
  { title: 'feed', isDetail: true },
  { title: 'deleted', align: 'right', isDetail: true },
  { title: 'removed', align: 'right', isDetail: true },
  { title: 'log', align: 'right', isDetail: true },
  { title: 'requests/day', align: 'right', isDetail: true, isRare: true },
  { title: 'marks', isRare: true },
]

/** `alluvium table list` */
export function registerTableList(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'list',
    summary: 'list the tables of a lake, as their logs tell of them; exit 2 when one cannot be read',
    example: 'table list --lake ./lake',
  })
  withLakeOptions(command)
    .option('--all', 'also our own tables: dead letters, marks')
    .action(exiting(context, (options: ListOptions) => listLake(options, context)))
}

async function listLake(options: ListOptions, context: CliContext): Promise<ExitCode> {
  const lake = await openLakeOf(options, context)
  const tables: ListedTable[] = []
  const verified = await readVerified(lake.store)
  for await (const path of listTables(lake.store, { hidden: options.all === true })) {
    tables.push(await look(lake, path, verified))
  }
  const { stdout } = context
  if (options.json === true) for (const table of tables) stdout.write(`${toJson(asJson(table))}\n`)
  else if (tables.length === 0) stdout.write(`there is no table in ${printable(lake.store.location)}\n`)
  else stdout.write(formatTable(COLUMNS, tables.map(asLine), stdout.columns))
  return tables.some((table) => 'problem' in table) ? EXIT.problem : EXIT.ok
}

async function look(
  { store }: OpenLake,
  path: string,
  verified: ReadonlyMap<string, SourcePlace>,
): Promise<ListedTable> {
  try {
    const table = await DeltaTable.open(store, path)
    const summary = summariseTable(table!.snapshot)
    const log = await readLogSize(store, path)
    return { path, summary, log, verified: verified.get(summary.name ?? '') ?? null }
  } catch (error) {
    if (error instanceof EngineError && error.remedy === 'stop-table') return { path, problem: error }
    throw error
  }
}

function asJson(table: ListedTable): unknown {
  const { path } = table
  if ('problem' in table) {
    return { name: null, path, problem: { code: table.problem.code, message: table.problem.message } }
  }
  const { verified } = table
  const { name, lastCommitMs, ...rest } = table.summary
  return {
    name: name ?? path,
    path,
    ...rest,
    ...table.log,
    lastCommit: lastCommitMs === null ? null : instantJson(lastCommitMs),
    verifiedThrough: verified === null ? null : { lsn: verified.lsn, time: instantJson(verified.atMs) },
  }
}

function asLine(table: ListedTable): readonly TableCell[] {
  if ('problem' in table) {
    const { code, message } = table.problem
    return [
      shownPath(table.path),
      ...new Array(COLUMNS.length - 2).fill(''),
      `cannot be read: ${message} (${code})`,
    ]
  }
  const { summary, log } = table
  const { version, rows, files, deletedShare, sizeBytes, tombstones, changeFeed, incomplete, lastCommitMs } =
    summary
  return [
    shownName(table.path, summary.name),
    version,
    rows === null ? '?' : formatCount(rows),
    files,
    sizeText(sizeBytes),
    lastCommitMs === null ? '?' : instantText(lastCommitMs),
    table.verified === null ? '' : instantText(table.verified.atMs),
    modeText(summary),
    changeFeed,
    deletedShare === null ? '?' : shareText(deletedShare),
    formatCount(tombstones),
    sizeText(log.logBytes),
    log.requestsPerDay === null ? '' : formatCount(log.requestsPerDay),
    incomplete.length === 0 ? '' : `incomplete: ${incomplete.join(', ')}`,
  ]
}

/** The path is told only where the name does not say it. */
function shownName(path: string, name: string | null): string {
  if (name === null || name === path) return shownPath(path)
  return path === name.replace('.', '/') ? name : `${name} (${shownPath(path)})`
}

function shownPath(path: string): string {
  return path === '' ? '.' : path
}

function modeText({ mode, key, partitionBy }: TableSummary): string {
  const parts = [mode ?? 'foreign']
  if (key.length > 0) parts.push(`(${key.join(', ')})`)
  if (partitionBy.length > 0) parts.push(`by ${partitionBy.join(', ')}`)
  return parts.join(' ')
}
