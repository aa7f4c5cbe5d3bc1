import type { Command } from 'commander'
import { type LetterSummary, listDeadLetters } from '../pipeline/read-dead-letters.ts'
import { addCommand, type CliContext, exiting } from './context.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf, withLakeOptions } from './lake-options.ts'
import { instantText } from './measures.ts'
import { parseCount } from './option-values.ts'
import { formatCount, formatTable, printable, type TableColumn, toJson } from './output.ts'

interface ListOptions extends LakeOptions {
  readonly table?: string
  readonly reason?: string
  readonly letters: number
  readonly all?: boolean
}

const COLUMNS: readonly TableColumn[] = [
  { title: 'topic' },
  { title: 'partition', align: 'right' },
  { title: 'offset', align: 'right' },
  { title: 'time (UTC)' },
  { title: 'table' },
  { title: 'reason' },
  { title: 'message' },
]

/** `alluvium dlq list` */
export function registerDlqList(group: Command, context: CliContext): void {
  const command = addCommand(group, {
    usage: 'list',
    summary: 'list the records that could not be read, the newest first; exit 2 when there are any',
    example: 'dlq list --table inventory.customers --reason BAD_JSON',
  })
  withLakeOptions(command)
    .option('--table <name>', 'only those of a table (schema.table)')
    .option('--reason <code>', 'only those set aside for a reason')
    .option('--all', 'also those that have been replayed')
    .option('-n, --letters <count>', 'how many', parseCount, 50)
    .action(exiting(context, (options: ListOptions) => listLetters(options, context)))
}

async function listLetters(options: ListOptions, context: CliContext): Promise<ExitCode> {
  const { stdout } = context
  const { store } = await openLakeOf(options, context)
  const { letters, count } = await listDeadLetters(store, filterOf(options), options.letters)
  if (options.json === true) for (const letter of letters) stdout.write(`${toJson(asJson(letter))}\n`)
  else if (count === 0)
    stdout.write(`there is no dead letter${restriction(options)} in ${printable(store.location)}\n`)
  else {
    stdout.write(formatTable(COLUMNS, letters.map(asLine), stdout.columns))
    if (count > letters.length)
      stdout.write(`\n${formatCount(letters.length)} of ${formatCount(count)}; -n shows more\n`)
  }
  return count === 0 ? EXIT.ok : EXIT.problem
}

function filterOf({ table, reason, all = false }: ListOptions) {
  return { ...(table === undefined ? {} : { table }), ...(reason === undefined ? {} : { reason }), all }
}

function restriction({ table, reason }: ListOptions): string {
  return printable(
    (table === undefined ? '' : ` of ${table}`) + (reason === undefined ? '' : ` for ${reason}`),
  )
}

function asJson({ timestampMs, replayedMs, ...letter }: LetterSummary): unknown {
  const { topic, partition, offset, ...rest } = letter
  const replayed = replayedMs === null ? {} : { replayed: replayedMs }
  return { topic, partition, offset, timestamp: timestampMs, ...rest, ...replayed }
}

function asLine({ topic, partition, offset, timestampMs, table, reason, message }: LetterSummary) {
  return [topic, String(partition), String(offset), instantText(timestampMs), table, reason, message]
}
