import type { RunReport, TableReport } from '../pipeline/pipeline.ts'
import { formatCount, formatTable, printable, toJson } from './output.ts'

/**
 * The last line of `ingest --json` (design §4): `records` is the sum of the other counts. What is not as it should be
 * comes behind these keys, and only then.
 *
 * @param pipeline named first where several run; `null`: it is the only one
 */
export function closingJson(report: RunReport, pipeline: string | null): string {
  const { records, tally, tables, deadLetterReasons } = report
  const reasons =
    deadLetterReasons.size === 0 ? {} : { deadLetterReasons: Object.fromEntries(deadLetterReasons) }
  const which = pipeline === null ? {} : { pipeline }
  return toJson({ ...which, records, ...tally, tables: tables.map(tableJson), ...reasons })
}

function tableJson(report: TableReport): unknown {
  const { unresolvedUnavailable, ambiguousKeyMoves, stopped, isUndecided: _, ...table } = report
  return {
    ...table,
    ...(unresolvedUnavailable === 0 ? {} : { unresolvedUnavailable }),
    ...(ambiguousKeyMoves === 0 ? {} : { ambiguousKeyMoves }),
    ...(stopped === null ? {} : { stopped: { code: stopped.code, message: stopped.message } }),
  }
}

/** What a run did, for a person: the tables, then what was set aside and why. */
export function closingText(report: RunReport, lake: string, width: number): string {
  const columns = [
    { title: 'table' },
    { title: 'version', align: 'right' },
    { title: 'rows', align: 'right' },
    { title: 'inserts', align: 'right' },
    { title: 'updates', align: 'right' },
    { title: 'deletes', align: 'right' },
    { title: 'state' },
  ] as const
  const rows = [...report.tables].sort((a, b) => (a.name < b.name ? -1 : 1)).map(tableLine)
  const tables = rows.length === 0 ? 'no table yet\n' : formatTable(columns, rows, width)
  const place = printable(lake)
  const look = rows.length === 0 ? '' : `look at them: alluvium table list --lake ${place}\n`
  return `${tables}\n${recordsLine(report)}\n${asideLines(report)}lake: ${place}\n${look}`
}

function tableLine(table: TableReport) {
  const { name, version, rows, inserts, updates, deletes, stopped } = table
  return [
    name,
    version,
    rows,
    inserts,
    updates,
    deletes,
    stopped === null ? 'ok' : `stopped: ${stopped.code}`,
  ]
}

function recordsLine({ records, tally }: RunReport): string {
  const parts = Object.entries(tally)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${formatCount(count)} ${WORDS[name] ?? name}`)
  return `${formatCount(records)} records${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`
}

const WORDS: Readonly<Record<string, string>> = { deadLetters: 'dead letters' }

function asideLines(report: RunReport): string {
  const lines: string[] = []
  for (const [reason, count] of report.deadLetterReasons) {
    lines.push(`set aside: ${formatCount(count)} × ${reason} (alluvium dlq list)`)
  }
  for (const { name, stopped, unresolvedUnavailable, ambiguousKeyMoves } of report.tables) {
    if (stopped !== null) lines.push(`stopped: ${name}: ${printable(stopped.message)}`)
    if (unresolvedUnavailable > 0) {
      lines.push(
        `${name}: ${formatCount(unresolvedUnavailable)} values that the source did not send are null`,
      )
    }
    if (ambiguousKeyMoves > 0) {
      lines.push(
        `${name}: ${formatCount(ambiguousKeyMoves)} ambiguous key moves (tables.${name}.replicaIdentity: full tells them apart, where the source has it)`,
      )
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}
