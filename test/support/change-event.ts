import type {
  ChangeEvent,
  Operation,
  RowImage,
  RowKey,
  RowShape,
  TableId,
} from '../../schemas/change-event.ts'
import type { Cell, DeltaType, UNAVAILABLE } from '../../schemas/delta-types.ts'
import type { Position } from '../../schemas/position.ts'
import { rowShape } from '../../writers/table/table-layout.ts'

/** Cells by column; a column that is not named is null. */
export type Values = Readonly<Record<string, Cell | typeof UNAVAILABLE>>

/** Column → type; a type with `hasDefault` belongs to a column that the source fills by itself. */
export type ColumnTypes = Readonly<Record<string, DeltaType | { readonly hasDefault: DeltaType }>>

export interface EventParts {
  readonly op?: Operation
  readonly columns?: ColumnTypes
  /** Names of the key columns; `null`: the table has none. */
  readonly key?: readonly string[] | null
  readonly before?: Values | null
  readonly after?: Values | null
  /** `[seq, lsn]`, or the LSN that is both; `null`: a snapshot row. */
  readonly position?: number | readonly [seq: number, lsn: number] | null
  /** `source.lsn` of a snapshot row. */
  readonly lsn?: number | null
  /** Of a row of an incremental snapshot. */
  readonly readAfter?: Position | null
  readonly tx?: number | null
  /** Source time in microseconds; default: a time that grows with the position. */
  readonly time?: number | null
  readonly newKey?: Values | null
  readonly oldKey?: Values | null
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
}

export const SHOP_ITEMS: TableId = {
  sourceName: 'shop',
  database: 'shopdb',
  schema: 'public',
  table: 'items',
}

export const ITEM_COLUMNS: ColumnTypes = { id: 'long', v: 'string' }

let nextOffset = 0

/** A change of `public.items` (`id` long, the key, and `v` string), but for the given parts. */
export function changeEvent(parts: EventParts = {}): ChangeEvent {
  const { columns = ITEM_COLUMNS, key = ['id'], before = null, after = null } = parts
  const op = parts.op ?? (after === null ? 'd' : before === null ? 'c' : 'u')
  const position = positionOf(parts.position === undefined ? 100 : parts.position)
  const shape = shapeOf(columns)
  const identity = after ?? before
  return {
    kind: 'change',
    op,
    table: SHOP_ITEMS,
    key: op === 't' || key === null || identity === null ? null : rowKey(shape, key, identity),
    before: before === null ? null : rowImage(shape, before),
    after: after === null ? null : rowImage(shape, after),
    position,
    lsn: position?.lsn ?? (parts.lsn == null ? null : BigInt(parts.lsn)),
    txId: parts.tx == null ? null : BigInt(parts.tx),
    sourceTimeUs: timeOf(parts.time, position?.seq),
    newKey: parts.newKey == null ? null : rowKey(shape, key!, parts.newKey),
    oldKey: parts.oldKey == null ? null : rowKey(shape, key!, parts.oldKey),
    at: {
      topic: parts.topic ?? 'shop.public.items',
      partition: parts.partition ?? 0,
      offset: BigInt(parts.offset ?? nextOffset++),
      timestampMs: 1_700_000_000_000,
    },
    sizeBytes: 100,
    ...(parts.readAfter ? { readAfter: parts.readAfter } : {}),
  }
}

/** One object per set of columns, as a decoder keeps them. */
export function shapeOf(columns: ColumnTypes): RowShape {
  const text = JSON.stringify(columns)
  const known = shapes.get(text)
  if (known !== undefined) return known
  const shape = rowShape(
    Object.entries(columns).map(([name, of]) =>
      typeof of === 'object' && 'hasDefault' in of
        ? { name, type: of.hasDefault, hasDefault: true }
        : { name, type: of, hasDefault: false },
    ),
  )
  shapes.set(text, shape)
  return shape
}

const shapes = new Map<string, RowShape>()

export function rowImage(shape: RowShape, values: Values): RowImage {
  return { shape, cells: shape.columns.map(({ name }) => values[name] ?? null) }
}

function rowKey(shape: RowShape, names: readonly string[], values: Values): RowKey {
  return {
    columns: names.map((name) => shape.columns[shape.indexOf.get(name)!]!),
    values: names.map((name) => values[name] as Cell),
  }
}

function positionOf(position: EventParts['position']): ChangeEvent['position'] {
  if (position == null) return null
  const [seq, lsn] = typeof position === 'number' ? [position, position] : position
  return { epoch: 0, seq: BigInt(seq), lsn: BigInt(lsn) }
}

function timeOf(time: number | null | undefined, seq: bigint | undefined): bigint | null {
  if (time === undefined) return 1_700_000_000_000_000n + (seq ?? 0n)
  return time === null ? null : BigInt(time)
}
