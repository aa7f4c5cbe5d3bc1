import type { SourceColumn, SourceTable } from '../core/ports.ts'
import { type StructField, type StructType, struct } from '../schemas/delta-types.ts'
import { readBackfillState } from '../writers/backfill/backfill-state.ts'
import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import { readTableProperties } from '../writers/table-properties.ts'
import { type CanonicalText, canonicalText } from './canonical/canonical-text.ts'
import type { CheckedTable } from './checked-table.ts'
import type { ColumnNote } from './verdict.ts'

/** One column as both sides have it. */
export interface ComparedColumn {
  /** As the source calls it. */
  readonly name: string
  /** As the source writes it. */
  readonly sourceType: string
  /** As the lake keeps it. */
  readonly field: StructField
  readonly canonical: CanonicalText
}

/** What of a table can be compared, and by what its rows are told apart. */
export interface ComparedTable {
  readonly source: SourceTable
  /** SQL that rows of the source fulfil which are compared; `null`: all are. */
  readonly where: string | null
  /** In the order of the source; those of the key are among them. */
  readonly columns: readonly ComparedColumn[]
  /** `null`: the whole row is its key, and may be there several times. */
  readonly key: readonly ComparedColumn[] | null
  /** Columns whose older rows are incomplete by the table's own word, and so are not compared. */
  readonly incomplete: readonly ColumnNote[]
  /** Columns of which the stream carries less than the source has. */
  readonly lossy: readonly ColumnNote[]
  /** Whether `_cdc_deleted` marks rows that are gone. */
  readonly hasSoftDeletes: boolean
}

/** Why a table cannot be compared row by row. */
export interface NotComparable {
  readonly reason: string
}

/** Key of a field's metadata that holds the source's own name. */
const SOURCE_NAME = 'alluvium.name'

/** The fields of a table that come from the source, by the names they have there. */
export function sourceFields(schema: StructType): ReadonlyMap<string, StructField> {
  const named = schema.fields
    .filter(({ name }) => !name.startsWith('_cdc_'))
    .map((field) => [String(field.metadata[SOURCE_NAME] ?? field.name), field] as const)
  return new Map(named)
}

/** Lays the catalog's columns beside those of a version of the lake's table. */
export function comparedTable(
  { source, where = null, filling = [] }: CheckedTable,
  snapshot: TableSnapshot,
): ComparedTable | NotComparable {
  const { configuration } = snapshot.metadata
  const properties = readTableProperties(configuration)
  if (properties === null) return { reason: 'the lake holds a table at its path that alluvium did not make' }
  if (properties.mode === 'append')
    return { reason: 'it is an audit log (mode: append), not a copy of the source' }
  // SQL that stands in the lake is never run at the source: who may write the one may not read all of the other.
  const laidDown = readBackfillState(configuration)?.where ?? null
  if (laidDown !== where) return { reason: partly(laidDown) }
  const fields = sourceFields(snapshot.schema)
  const leftOut = new Set([...properties.incomplete, ...properties.unsent])
  for (const column of filling) leftOut.delete(column)
  const columns: ComparedColumn[] = []
  const incomplete: ColumnNote[] = []
  const lossy: ColumnNote[] = []
  for (const column of source.columns) {
    const compared = comparedColumn(column, fields.get(column.name), leftOut.has(column.name))
    if ('canonical' in compared) columns.push(compared)
    else (compared.isIncomplete ? incomplete : lossy).push({ column: column.name, reason: compared.reason })
    const loss = 'canonical' in compared ? compared.canonical.loss : null
    if (loss !== null) lossy.push({ column: column.name, reason: loss })
  }
  const key = keyColumns(properties.key, columns)
  if (key !== null && 'reason' in key) return key
  if (columns.length === 0) return { reason: 'none of its columns can be compared' }
  const hasSoftDeletes = snapshot.schema.fields.some(({ name }) => name === '_cdc_deleted')
  return { source, where, columns, key, incomplete, lossy, hasSoftDeletes }
}

function partly(where: string | null): string {
  return (
    `it was laid down with rows of the source where ${where} alone, and holds what the stream told since then: which rows ` +
    'it should hold beyond these is not known'
  )
}

interface LeftOut {
  readonly isIncomplete: boolean
  readonly reason: string
}

function comparedColumn(
  column: SourceColumn,
  field: StructField | undefined,
  isLeftOut: boolean,
): ComparedColumn | LeftOut {
  if (column.isGenerated) return { isIncomplete: false, reason: 'a generated column is not in the stream' }
  if (field === undefined) return { isIncomplete: true, reason: 'the lake has no such column (yet)' }
  if (isLeftOut)
    return { isIncomplete: true, reason: 'older rows hold null for values that the stream never told' }
  const canonical = canonicalText(column, field.type)
  if ('reason' in canonical) return { isIncomplete: false, reason: canonical.reason }
  return { name: column.name, sourceType: column.type, field, canonical }
}

function keyColumns(
  names: readonly string[] | null,
  columns: readonly ComparedColumn[],
): readonly ComparedColumn[] | NotComparable | null {
  if (names === null) return null
  const key: ComparedColumn[] = []
  for (const name of names) {
    const found = columns.find((column) => column.name === name)
    if (found === undefined) return { reason: `its key column ${name} cannot be compared` }
    key.push(found)
  }
  return key
}

/** What is read of the lake's rows: the compared columns, then those of ours that are needed. */
export function readSchema({ columns, hasSoftDeletes }: ComparedTable): StructType {
  const own = [TXID, ...(hasSoftDeletes ? [DELETED] : [])]
  return struct([...columns.map(({ field }) => field), ...own])
}

const TXID: StructField = { name: '_cdc_txid', type: 'long', nullable: true, metadata: {} }
const DELETED: StructField = { name: '_cdc_deleted', type: 'boolean', nullable: true, metadata: {} }
