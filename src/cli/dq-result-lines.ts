import type { CheckResult, Mismatch, RepairReport } from '../../dq/verdict.ts'
import { formatCount, printable } from './output.ts'

/** Rows that are shown to a person; `--json` has all. */
const MISMATCHES_SHOWN = 10

/** What a person reads of one check: a line, then what there is to say about it. */
export function dqResultLines(result: CheckResult): readonly string[] {
  const { table, check, verdict, detail, mismatchCount, mismatches, notes, repair } = result
  const lines = repair === null ? [] : [...repairLines(table, repair)]
  lines.push(`${verdict.padEnd(12)} ${printable(table)} ${check}${numbers(result)}\n`)
  if (detail !== null) lines.push(`  ${printable(detail)}\n`)
  for (const mismatch of mismatches.slice(0, MISMATCHES_SHOWN)) lines.push(`  ${mismatchText(mismatch)}\n`)
  const more = mismatchCount - Math.min(mismatches.length, MISMATCHES_SHOWN)
  if (mismatches.length > 0 && more > 0) lines.push(`  and ${formatCount(more)} more rows\n`)
  if (check !== 'schema' || verdict === 'equal') {
    for (const { column, reason } of notes)
      lines.push(`  column ${printable(column)}: ${printable(reason)}\n`)
  }
  return lines
}

/** What was repaired, and whether the check that follows shows that it is right now. */
function* repairLines(table: string, repair: RepairReport): Generator<string> {
  const { inserted, updated, deleted, unchanged, impossible, verified, notes } = repair
  const of = (count: number, what: string) => (count === 0 ? [] : [`${formatCount(count)} ${what}`])
  const parts = [
    ...of(inserted, 'inserted'),
    ...of(updated, 'updated'),
    ...of(deleted, 'deleted'),
    ...of(unchanged, 'the same by now'),
    ...of(repair.deferred, 'deferred'),
    ...of(impossible, 'not repaired'),
  ]
  yield `${'repaired'.padEnd(12)} ${printable(table)}: ${parts.join(', ')}; ${verified ? 'verified' : 'NOT verified'}\n`
  for (const note of notes) yield `  ${printable(note)}\n`
}

function numbers({ sourceRows, lakeRows, deferred, lagMs, version, looks, durationMs }: CheckResult): string {
  const parts: string[] = []
  if (sourceRows !== null && lakeRows !== null) {
    parts.push(`${formatCount(sourceRows)} rows of the source, ${formatCount(lakeRows)} of the lake`)
  }
  if (deferred > 0) parts.push(`${formatCount(deferred)} deferred`)
  if (lagMs !== null) parts.push(`${(lagMs / 1000).toFixed(1)} s behind`)
  if (version !== null) parts.push(`version ${version}`)
  if (looks > 1) parts.push(`${looks} looks`)
  parts.push(`${(durationMs / 1000).toFixed(1)} s`)
  return `: ${parts.join(', ')}`
}

/** `different id=7: tier, note` */
function mismatchText({ kind, key, columns, counts }: Mismatch): string {
  const where = Object.entries(key).map(([name, value]) => `${name}=${value ?? 'NULL'}`)
  const what = columns.length === 0 ? '' : `: ${columns.join(', ')}`
  const times = counts === undefined ? '' : ` (${counts.source} of the source, ${counts.lake} of the lake)`
  return printable(`${kind} ${where.join(' ')}${what}${times}`)
}
