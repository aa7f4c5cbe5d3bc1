import type { ChangeEvent, Operation, RowImage, RowKey } from './change-event.ts'
import { decimalText } from './decimal-text.ts'
import { type Cell, type DeltaType, UNAVAILABLE } from './delta-types.ts'
import { dateText, timestampText } from './time-text.ts'

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

type JsonObject = { readonly [name: string]: JsonValue }

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

/**
 * The public JSON of a change (formats.md §0): integers as numbers while those are exact, else as text; decimals as
 * text with all their digits; dates and times in ISO 8601 (`Z` where the column has a zone); bytes in base64.
 */
export function toStandardJson(event: ChangeEvent): StandardRecord {
  const { key, lsn, txId, sourceTimeUs } = event
  const image = event.after ?? event.before
  return {
    operation: OPERATIONS[event.op],
    table: event.table.table,
    data: image !== null ? rowJson(image) : key !== null ? keyJson(key) : null,
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
          : keyJson(key),
  }
}

function rowJson({ shape, cells }: RowImage): JsonObject {
  const members: [string, JsonValue][] = []
  for (const [i, column] of shape.columns.entries()) {
    const cell = cells[i]!
    if (cell !== UNAVAILABLE) members.push([column.name, cellJson(column.type, cell)])
  }
  return Object.fromEntries(members)
}

function keyJson({ columns, values }: RowKey): JsonObject {
  return Object.fromEntries(columns.map((c, i) => [c.name, cellJson(c.type, values[i]!)]))
}

function cellJson(type: DeltaType, cell: Cell): JsonValue {
  if (cell === null) return null
  if (typeof type === 'string') {
    if (type === 'date') return dateText(cell as number)
    if (type === 'timestamp') return `${timestampText(cell as bigint, 'T')}Z`
    if (type === 'timestamp_ntz') return timestampText(cell as bigint, 'T')
    return primitiveJson(cell)
  }
  const parts = cell as readonly Cell[]
  switch (type.kind) {
    case 'decimal':
      return decimalText(cell as bigint, type.scale)
    case 'array':
      return parts.map((element) => cellJson(type.element, element))
    case 'struct':
      return Object.fromEntries(type.fields.map((f, i) => [f.name, cellJson(f.type, parts[i]!)]))
    case 'map': {
      const entries = parts as readonly (readonly [Cell, Cell])[]
      return Object.fromEntries(
        entries.map(([key, value]) => [String(cellJson(type.key, key)), cellJson(type.value, value)]),
      )
    }
  }
}

function primitiveJson(cell: Cell): JsonValue {
  if (typeof cell === 'bigint') return integerJson(cell)
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString('base64')
  // JSON has no NaN and no infinities: Debezium writes them as these texts too.
  if (typeof cell === 'number' && !Number.isFinite(cell)) return String(cell)
  return cell as boolean | number | string
}

function integerJson(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}
