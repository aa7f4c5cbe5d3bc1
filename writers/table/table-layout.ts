import { EngineError } from '../../core/errors.ts'
import type { Column, RowShape } from '../../schemas/change-event.ts'
import { deltaColumnName, isReservedColumnName } from '../../schemas/column-name.ts'
import {
  type DeltaType,
  field,
  type StructField,
  type StructType,
  struct,
} from '../../schemas/delta-types.ts'
import { commonType, isSameType, typeText } from '../../schemas/evolution.ts'

/** Key of a field's metadata that holds the source's own name, where Delta cannot hold it. */
const SOURCE_NAME = 'alluvium.name'

/** Which of our own columns a table has, beside the position columns that all have. */
export interface LayoutOptions {
  /** `append`: `_cdc_op` tells what each row was. */
  readonly withOperation: boolean
  /** `deletes: soft`: `_cdc_deleted` marks the rows that the source no longer has. */
  readonly withDeleted: boolean
}

/**
 * The columns of one table: the source's, then ours (design §3.1: `_cdc_epoch`, `_cdc_seq`, `_cdc_lsn` are the
 * position, beside `_cdc_txid` and `_cdc_ts`). Immutable: a changed schema is another layout.
 */
export class TableLayout {
  /** The source's columns, under their source names: the shape of a stored row. */
  readonly shape: RowShape
  readonly system: readonly StructField[]
  /** What the Delta log says. */
  readonly schema: StructType

  constructor(columns: readonly Column[], options: LayoutOptions, tableForErrors: string) {
    this.shape = rowShape(columns)
    this.system = systemFields(options)
    const data = columns.map(dataField)
    refuseClashes(data, tableForErrors)
    this.schema = struct([...data, ...this.system])
  }

  /** Reads the layout back from a table's schema. */
  static of(
    schema: StructType,
    incomplete: ReadonlySet<string>,
    options: LayoutOptions,
    table: string,
  ): TableLayout {
    const columns = schema.fields
      .filter((f) => !isReservedColumnName(f.name))
      .map((f) => ({ name: sourceNameOf(f), type: f.type, hasDefault: incomplete.has(sourceNameOf(f)) }))
    return new TableLayout(columns, options, table)
  }

  /** The stored field of a source column. */
  fieldOf(sourceName: string): StructField | undefined {
    const index = this.shape.indexOf.get(sourceName)
    return index === undefined ? undefined : this.schema.fields[index]
  }
}

export function rowShape(columns: readonly Column[]): RowShape {
  return { columns, indexOf: new Map(columns.map((column, i) => [column.name, i])) }
}

function systemFields(options: LayoutOptions): StructField[] {
  const fields = [
    field('_cdc_epoch', 'integer'),
    field('_cdc_seq', 'long'),
    field('_cdc_lsn', 'long'),
    field('_cdc_txid', 'long'),
    field('_cdc_ts', 'timestamp'),
  ]
  if (options.withOperation) fields.push(field('_cdc_op', 'string'))
  if (options.withDeleted) fields.push(field('_cdc_deleted', 'boolean'))
  return fields
}

function dataField(column: Column): StructField {
  const name = deltaColumnName(column.name)
  const metadata = name === column.name ? {} : { [SOURCE_NAME]: column.name }
  return { name, type: column.type, nullable: true, metadata }
}

function sourceNameOf(stored: StructField): string {
  const real = stored.metadata[SOURCE_NAME]
  return typeof real === 'string' ? real : stored.name
}

function refuseClashes(fields: readonly StructField[], table: string): void {
  const seen = new Map<string, string>()
  for (const { name } of fields) {
    if (isReservedColumnName(name)) {
      throw schemaError(
        table,
        `column ${JSON.stringify(name)} has a name that the change feed or alluvium needs`,
      )
    }
    const twin = seen.get(name.toLowerCase())
    if (twin !== undefined) {
      throw schemaError(table, `columns ${twin} and ${name} differ only in case, which Delta cannot hold`)
    }
    seen.set(name.toLowerCase(), name)
  }
}

function schemaError(table: string, what: string): EngineError {
  const cure = 'leave the column out at the source (column.exclude.list), or rename it'
  return new EngineError('E_COLUMN_NAME', 'stop-table', `${what}; ${cure}`, { table })
}

/** What the columns of a batch ask of a table's layout. */
export interface SchemaChange {
  readonly columns: readonly Column[]
  readonly added: readonly Column[]
  readonly widened: readonly { readonly name: string; readonly from: DeltaType; readonly to: DeltaType }[]
}

/**
 * The table's columns after it took in the columns of `shapes`: new ones at the end, types widened where they must
 * be. A column that no shape names stays.
 *
 * @returns `null` when nothing changes
 * @throws EngineError `E_SCHEMA_INCOMPATIBLE` (stop-table) when a type changed to one that cannot hold both
 */
export function mergeShapes(
  current: readonly Column[],
  shapes: Iterable<RowShape>,
  table: string,
): SchemaChange | null {
  const columns = [...current]
  const indexOf = new Map(columns.map((column, i) => [column.name, i]))
  const added: Column[] = []
  for (const shape of shapes) {
    for (const column of shape.columns) {
      const index = indexOf.get(column.name)
      if (index === undefined) {
        indexOf.set(column.name, columns.push(column) - 1)
        added.push(column)
      } else {
        columns[index] = { ...columns[index]!, type: widened(columns[index]!, column, table) }
      }
    }
  }
  const changes = current
    .map((column, i) => ({ name: column.name, from: column.type, to: columns[i]!.type }))
    .filter((change) => !isSameType(change.from, change.to))
  return added.length === 0 && changes.length === 0 ? null : { columns, added, widened: changes }
}

function widened(stored: Column, arriving: Column, table: string): DeltaType {
  const common = commonType(stored.type, arriving.type)
  if (common !== null) return common
  throw new EngineError(
    'E_SCHEMA_INCOMPATIBLE',
    'stop-table',
    `column ${stored.name} is ${typeText(stored.type)} in the table and ${typeText(arriving.type)} in the topic; ` +
      'name the type you want in tables.<name>.columns, or take the topic in anew into another lake',
    { table },
  )
}
