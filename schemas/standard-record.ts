import { cellJson, integerJson, type JsonObject, type JsonValue, rowJson } from './cell-json.ts'
import type { ChangeEvent, Operation, RowImage } from './change-event.ts'
import { UNAVAILABLE } from './delta-types.ts'
import { timestampText } from './time-text.ts'

/**
 * A change in the form that consumers of the "standard CDC record" know. It is for them only: it loses the table's
 * schema, the before image and the difference between a snapshot and an insert.
 */
export interface StandardRecord {
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'
  /** Bare name. */
  readonly table: string
  /** The row after the change, of a delete the one before it (or its key); columns that were not sent are left out. */
  readonly data: JsonObject | null
  /** When the source committed it: ISO 8601, UTC with `Z`, microseconds. */
  readonly timestamp: string | null
  readonly metadata: {
    readonly database: string
    readonly lsn: number | string | null
    readonly txId: number | string | null
  }
  /** The value of a key of one column, an object for several, `null` for none. */
  readonly primary_key: JsonValue
}

const OPERATIONS: Readonly<Record<Operation, StandardRecord['operation']>> = {
  r: 'INSERT',
  c: 'INSERT',
  u: 'UPDATE',
  d: 'DELETE',
  t: 'TRUNCATE',
}

/** The public JSON of a change (formats.md §0); its values are those of `cellJson`. */
export function toStandardJson(event: ChangeEvent): StandardRecord {
  const { key, lsn, txId, sourceTimeUs } = event
  const image = event.after ?? event.before
  return {
    operation: OPERATIONS[event.op],
    table: event.table.table,
    data: image !== null ? imageJson(image) : key !== null ? rowJson(key.columns, key.values) : null,
    timestamp: sourceTimeUs === null ? null : `${timestampText(sourceTimeUs, 'T')}Z`,
    metadata: {
      database: event.table.database,
      lsn: lsn === null ? null : integerJson(lsn),
      txId: txId === null ? null : integerJson(txId),
    },
    primary_key:
      key === null
        ? null
        : key.columns.length === 1
          ? cellJson(key.columns[0]!.type, key.values[0]!)
          : rowJson(key.columns, key.values),
  }
}

function imageJson({ shape, cells }: RowImage): JsonObject {
  const members: [string, JsonValue][] = []
  for (const [i, column] of shape.columns.entries()) {
    const cell = cells[i]!
    if (cell !== UNAVAILABLE) members.push([column.name, cellJson(column.type, cell)])
  }
  return Object.fromEntries(members)
}
