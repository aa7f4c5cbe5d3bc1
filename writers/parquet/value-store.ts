import type { Cell } from '../../schemas/delta-types.ts'
import type { PackedColumn } from '../../schemas/packed-columns.ts'
import type { CellConversion, StoredValues } from './cell-conversion.ts'

/** Where the least and the greatest of some values stand; NaN is neither. */
export interface Bounds {
  readonly minIndex: number
  readonly maxIndex: number
  readonly hasNaN: boolean
}

/** Which bound a value is: a zero is written as -0 below and as 0 above, whichever of them was found. */
export type Side = 'min' | 'max'

/**
 * The values of one leaf column, nulls left out, in the order they came. A value is spoken of by its index, so that
 * finding bounds and building a dictionary make no objects.
 */
export interface ValueStore {
  readonly count: number
  /** Bytes that the values take in Parquet's PLAIN encoding. */
  readonly sizeBytes: number
  /** @throws AssertionError when the cell is not a value of this column's type: a caller's bug, not bad data */
  append(cell: Cell): void
  /** The values of `rows[start, end)`, row numbers of a column of this type that all hold a value. */
  appendPacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void
  /** Values at some places of a page or a dictionary of a file that was read; `convert` makes cells of them. */
  appendStored(stored: StoredValues, places: Int32Array, convert: CellConversion): void
  /** Values `[start, end)` in PLAIN encoding; may be a view that the next `append` makes stale. */
  plain(start: number, end: number): Uint8Array
  plainSizeBytes(start: number, end: number): number
  /** @returns `undefined` when there is no value that has a place in the order */
  bounds(start: number, end: number): Bounds | undefined
  /** Whether value `a` stands before value `b` in the order of the column's type. */
  isLess(a: number, b: number): boolean
  /** A value as statistics and page indexes write it: PLAIN, but without a length before it. */
  boundBytes(index: number, side: Side): Uint8Array
  boundCell(index: number, side: Side): Cell
  hash(index: number): number
  /** Same bytes, as the dictionary asks: -0 and 0 differ, a NaN equals itself. */
  isSame(a: number, b: number): boolean
}

const INITIAL_CAPACITY = 64

/** Capacity to begin with, from what the caller expects. */
export function firstCapacity(hint: number): number {
  return Math.max(hint, INITIAL_CAPACITY)
}

/** `appendPacked` for kinds of columns that have no way of their own into the store. */
export function appendCells(
  store: ValueStore,
  column: PackedColumn,
  rows: Int32Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) store.append(column.cell(rows[i]!) as Cell)
}

/** `appendStored` where the form is not the same, or where it is not worth a way of its own. */
export function appendConverted(
  store: ValueStore,
  stored: StoredValues,
  places: Int32Array,
  convert: CellConversion,
): void {
  for (const place of places) store.append(convert(stored as never, place))
}

/** Bounds of a store whose order is `isLess`, for kinds where a tighter loop is not worth its lines. */
export function boundsByComparing(store: ValueStore, start: number, end: number): Bounds | undefined {
  if (start === end) return undefined
  let minIndex = start
  let maxIndex = start
  for (let i = start + 1; i < end; i++) {
    if (store.isLess(i, minIndex)) minIndex = i
    else if (store.isLess(maxIndex, i)) maxIndex = i
  }
  return { minIndex, maxIndex, hasNaN: false }
}

/** Mixes a 32-bit word into a hash. */
export function mixHash(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}
