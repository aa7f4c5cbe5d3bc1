import type { SourceColumn, SourceTable } from '../core/ports.ts'
import { fittingDecimal } from '../schemas/column-spec.ts'
import type { DeltaType } from '../schemas/delta-types.ts'
import { typeText } from '../schemas/evolution.ts'
import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import { readTableProperties } from '../writers/table-properties.ts'
import { canonicalText } from './canonical/canonical-text.ts'
import { parseSourceType } from './canonical/source-type.ts'
import { sourceFields } from './compared-table.ts'
import type { ColumnNote, Found } from './verdict.ts'

/** Bits of whole numbers. */
const SOURCE_BITS: Readonly<Record<string, number>> = { smallint: 16, integer: 32, oid: 33, bigint: 64 }
const LAKE_BITS: Readonly<Record<string, number>> = { byte: 8, short: 16, integer: 32, long: 64 }

/**
 * Lays the source's catalog beside the columns of the lake's table: what is missing, what does not fit, and whether both
 * tell rows apart by the same key. A wider type of the lake fits; a column that only the lake has stays there.
 */
export function checkSchema(source: SourceTable, snapshot: TableSnapshot): Found {
  const properties = readTableProperties(snapshot.metadata.configuration)
  const fields = sourceFields(snapshot.schema)
  const problems: ColumnNote[] = []
  const remarks: ColumnNote[] = []
  for (const column of source.columns) {
    const kept = fields.get(column.name)?.type
    if (column.isGenerated) {
      if (kept === undefined) remarks.push({ column: column.name, reason: 'generated: not in the stream' })
      continue
    }
    const reason = kept === undefined ? 'the lake has no such column (yet)' : misfit(column, kept)
    if (reason !== null) problems.push({ column: column.name, reason })
  }
  const names = new Set(source.columns.map(({ name }) => name))
  for (const name of fields.keys()) {
    if (!names.has(name)) remarks.push({ column: name, reason: 'dropped at the source; the lake keeps it' })
  }
  const key = properties?.key ?? null
  const keyProblem = keyMisfit(source, key)
  if (keyProblem !== null) problems.push({ column: (key ?? []).join(', '), reason: keyProblem })
  const details = problems.map(({ column, reason }) => (column === '' ? reason : `${column}: ${reason}`))
  return {
    verdict: problems.length > 0 ? 'different' : 'equal',
    detail: details.length === 0 ? null : details.join('; '),
    version: snapshot.version,
    mismatchCount: problems.length,
    notes: [...problems, ...remarks],
  }
}

/** Why values of the source may not be kept as this type; `null`: they may. */
function misfit(column: SourceColumn, kept: DeltaType): string | null {
  const canonical = canonicalText(column, kept)
  if ('reason' in canonical) return canonical.reason
  const { name } = parseSourceType(column.type)
  const tooNarrow = `${column.type} does not fit into ${typeText(kept)}`
  const bits = SOURCE_BITS[name]
  if (bits !== undefined && typeof kept === 'string' && (LAKE_BITS[kept] ?? 64) < bits) return tooNarrow
  if (name === 'double precision' && kept === 'float') return tooNarrow
  return name === 'numeric' && !holdsDecimal(column.type, kept) ? tooNarrow : null
}

function holdsDecimal(sourceType: string, kept: DeltaType): boolean {
  if (typeof kept === 'string' || kept.kind !== 'decimal') return true
  const numbers = /\((\d+)(?:,\s*(-?\d+))?\)/.exec(sourceType)
  if (numbers === null) return false
  const wanted = fittingDecimal(Number(numbers[1]), Number(numbers[2] ?? 0))
  if (wanted === null) return false
  return kept.scale >= wanted.scale && kept.precision - kept.scale >= wanted.precision - wanted.scale
}

function keyMisfit(source: SourceTable, lakeKey: readonly string[] | null): string | null {
  if (source.replicaIdentity === 'nothing') {
    return 'REPLICA IDENTITY NOTHING: the source does not tell which rows are updated and deleted'
  }
  if (lakeKey === null)
    return source.key === null ? null : `the source has the key ${source.key.join(', ')}, the lake none`
  const known = [source.key, source.identityColumns].filter((each) => each !== null)
  const isKnown = known.some((each) => each.toSorted().join() === lakeKey.toSorted().join())
  // A key that a person declared for a table without one is theirs to answer for.
  if (isKnown || known.length === 0) return null
  return `the source tells rows apart by ${known.map((each) => each.join(', ')).join(' or ')}`
}
