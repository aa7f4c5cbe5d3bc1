import { assert } from '../../core/assert.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { type PackedColumn, PackedInt32 } from '../../schemas/packed-columns.ts'
import type { CellConversion, StoredValues } from './cell-conversion.ts'
import {
  appendCells,
  appendConverted,
  type Bounds,
  boundsByComparing,
  firstCapacity,
  mixHash,
  type ValueStore,
} from './value-store.ts'

/** One byte a value here; packed to bits when a page is written. */
export class BooleanValues implements ValueStore {
  count = 0
  private values: Uint8Array

  constructor(capacityHint: number) {
    this.values = new Uint8Array(firstCapacity(capacityHint))
  }

  get sizeBytes(): number {
    return this.plainSizeBytes(0, this.count)
  }

  append(cell: Cell): void {
    assert(typeof cell === 'boolean', 'a cell of a boolean column is not a boolean')
    this.reserve(1)
    this.values[this.count++] = cell ? 1 : 0
  }

  appendPacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    if (!(column instanceof PackedInt32)) {
      appendCells(this, column, rows, start, end)
      return
    }
    this.reserve(end - start)
    const { values } = this
    const packed = column.values
    let at = this.count
    for (let i = start; i < end; i++) values[at++] = packed[rows[i]!]!
    this.count = at
  }

  appendStored(stored: StoredValues, places: Int32Array, convert: CellConversion): void {
    appendConverted(this, stored, places, convert)
  }

  plain(start: number, end: number): Uint8Array {
    const bits = new Uint8Array(this.plainSizeBytes(start, end))
    for (let i = start; i < end; i++) {
      const at = i - start
      bits[at >> 3]! |= this.values[i]! << (at & 7)
    }
    return bits
  }

  plainSizeBytes(start: number, end: number): number {
    return (end - start + 7) >> 3
  }

  bounds(start: number, end: number): Bounds | undefined {
    return boundsByComparing(this, start, end)
  }

  isLess(a: number, b: number): boolean {
    return this.values[a]! < this.values[b]!
  }

  boundBytes(index: number): Uint8Array {
    return this.values.subarray(index, index + 1)
  }

  boundCell(index: number): Cell {
    return this.values[index] === 1
  }

  hash(index: number): number {
    return mixHash(0, this.values[index]!)
  }

  isSame(a: number, b: number): boolean {
    return this.values[a] === this.values[b]
  }

  private reserve(count: number): void {
    const needed = this.count + count
    if (needed <= this.values.length) return
    const larger = new Uint8Array(Math.max(this.values.length * 2, needed))
    larger.set(this.values)
    this.values = larger
  }
}
