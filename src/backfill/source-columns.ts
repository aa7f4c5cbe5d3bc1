import { EngineError } from '../../core/errors.ts'
import type { SourceColumn, SourceTable } from '../../core/ports.ts'
import { parseSourceType } from '../../dq/canonical/source-type.ts'
import type { ColumnNote } from '../../dq/verdict.ts'
import type { Column } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { declaredSpecs } from '../../schemas/decode/table-columns.ts'
import type { DeltaType } from '../../schemas/delta-types.ts'
import { parsePostgresType } from '../../schemas/postgres-types.ts'
import { copyField } from './copy-columns.ts'
import type { ReadColumn } from './load-table.ts'

/** What of a source table is read, and how. */
export interface SourceColumns {
  readonly columns: readonly Column[]
  readonly reads: ReadonlyMap<string, ReadColumn>
  /** `null`: the table has none. */
  readonly key: readonly string[] | null
  /** Columns that are not read, since no connector delivers them. */
  readonly leftOut: readonly ColumnNote[]
}

/**
 * The columns as the stream delivers them: by the contract, else by the catalog (design §3.6). What it does not deliver
 * is left out: an update would make null of it.
 *
 * @throws EngineError `E_BACKFILL_COLUMN` (stop-table) for a column that the contract calls what it cannot be, or for a
 * key that is not read
 */
export function sourceColumns(source: SourceTable, contract: TableContract): SourceColumns {
  const declared = declaredSpecs(contract)
  const columns: Column[] = []
  const reads = new Map<string, ReadColumn>()
  const leftOut: ColumnNote[] = []
  for (const column of source.columns) {
    const { name } = column
    const type = column.isGenerated ? null : (declared.get(name)?.type ?? deliveredType(column))
    if (type === null) {
      leftOut.push({
        column: name,
        reason: `${column.isGenerated ? 'a generated column' : column.type} is not in the stream`,
      })
      continue
    }
    const field = copyField(declared.has(name) ? withoutLength(column) : column, type)
    if (field === null) throw unfit(contract, column)
    columns.push({ name, type, hasDefault: false })
    reads.set(name, { ...field, name })
  }
  const key = keyOf(source, contract)
  const missing = key?.find((name) => !reads.has(name))
  if (missing !== undefined) throw noKey(contract, missing)
  return { columns, reads, key, leftOut }
}

/** Where a contract says what a `varbit(n)` is, its schema does not count (`schemas/decode/table-columns.ts`). */
function withoutLength(column: SourceColumn): SourceColumn {
  return { ...column, type: column.type.replace(/^bit varying\(\d+\)/, 'bit varying') }
}

/** As the catalog has it; a table without a key may still be told apart by an index. */
function keyOf(source: SourceTable, contract: TableContract): readonly string[] | null {
  return contract.key ?? source.key ?? source.identityColumns
}

/** @returns `null`: connectors leave columns of this type out */
function deliveredType({ name, type, kind }: SourceColumn): DeltaType | null {
  if (kind === 'composite' || kind === 'multirange' || kind === 'pseudo') return null
  const { prefix, isArray } = parseSourceType(type)
  try {
    if (kind === 'enum') return parsePostgresType(isArray ? 'enum[]' : 'enum', name).type
    return parsePostgresType(type.slice(prefix.length), name).type
  } catch (error) {
    if (error instanceof EngineError && error.code === 'E_UNKNOWN_TYPE') return null
    throw error
  }
}

function unfit({ name, columns }: TableContract, column: SourceColumn): EngineError {
  const declared = columns?.[column.name]
  return new EngineError(
    'E_BACKFILL_COLUMN',
    'stop-table',
    `column ${column.name} is ${column.type} in the source and ${declared ?? 'nothing known'} under tables.${name}.columns, ` +
      'and values of the one are none of the other; name it as the source does',
    { table: name },
  )
}

function noKey({ name }: TableContract, column: string): EngineError {
  return new EngineError(
    'E_BACKFILL_COLUMN',
    'stop-table',
    `key column ${column} is not in the source, or not in its stream; name the key under tables.${name}.key`,
    { table: name },
  )
}
