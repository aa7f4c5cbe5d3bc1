import { assert } from '../../core/assert.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { type PackedColumn, PackedDoubles } from '../../schemas/packed-columns.ts'
import type { CellConversion, StoredValues } from './cell-conversion.ts'
import {
  appendCells,
  appendConverted,
  type Bounds,
  firstCapacity,
  mixHash,
  type Side,
  type ValueStore,
} from './value-store.ts'

/** float (4 bytes a value) and double (8). */
export class FloatValues implements ValueStore {
  count = 0
  private readonly width: 4 | 8
  private values: Float32Array | Float64Array
  private words: Int32Array

  constructor(capacityHint: number, width: 4 | 8) {
    this.width = width
    this.values = this.allocate(firstCapacity(capacityHint))
    this.words = new Int32Array(this.values.buffer)
  }

  get sizeBytes(): number {
    return this.count * this.width
  }

  append(cell: Cell): void {
    assert(typeof cell === 'number', 'a cell of a floating-point column is not a number')
    this.reserve(1)
    this.values[this.count++] = cell
  }

  appendPacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    if (!(column instanceof PackedDoubles)) {
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
    return new Uint8Array(this.values.buffer, start * this.width, (end - start) * this.width)
  }

  plainSizeBytes(start: number, end: number): number {
    return (end - start) * this.width
  }

  bounds(start: number, end: number): Bounds | undefined {
    const values = this.values
    let minIndex = -1
    let maxIndex = -1
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    let hasNaN = false
    for (let i = start; i < end; i++) {
      const value = values[i]!
      if (value < min || (minIndex < 0 && value === min)) {
        min = value
        minIndex = i
      }
      if (value > max || (maxIndex < 0 && value === max)) {
        max = value
        maxIndex = i
      }
      if (Number.isNaN(value)) hasNaN = true
    }
    return start === end ? undefined : { minIndex, maxIndex, hasNaN }
  }

  isLess(a: number, b: number): boolean {
    return this.values[a]! < this.values[b]!
  }

  boundBytes(index: number, side: Side): Uint8Array {
    const bound = this.allocate(1)
    bound[0] = this.boundCell(index, side)
    return new Uint8Array(bound.buffer)
  }

  boundCell(index: number, side: Side): number {
    const value = this.values[index]!
    if (value !== 0) return value
    return side === 'min' ? -0 : 0
  }

  hash(index: number): number {
    if (this.width === 4) return mixHash(0, this.words[index]!)
    return mixHash(mixHash(0, this.words[2 * index]!), this.words[2 * index + 1]!)
  }

  isSame(a: number, b: number): boolean {
    const words = this.words
    if (this.width === 4) return words[a] === words[b]
    return words[2 * a] === words[2 * b] && words[2 * a + 1] === words[2 * b + 1]
  }

  private reserve(count: number): void {
    const needed = this.count + count
    if (needed <= this.values.length) return
    const larger = this.allocate(Math.max(this.values.length * 2, needed))
    larger.set(this.values)
    this.values = larger
    this.words = new Int32Array(larger.buffer)
  }

  private allocate(capacity: number): Float32Array | Float64Array {
    return this.width === 4 ? new Float32Array(capacity) : new Float64Array(capacity)
  }
}
