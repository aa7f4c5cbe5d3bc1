import { assert } from '../../core/assert.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { type PackedColumn, type PackedInt32, PackedInt64 } from '../../schemas/packed-columns.ts'
import { type CellConversion, keepsForm, type StoredValues } from './cell-conversion.ts'
import {
  appendCells,
  appendConverted,
  type Bounds,
  firstCapacity,
  mixHash,
  type ValueStore,
} from './value-store.ts'

/** byte, short, integer, date, and (from `bigint`) decimals of up to 9 digits. */
export class Int32Values implements ValueStore {
  count = 0
  private values: Int32Array
  private readonly least: number
  private readonly greatest: number
  private readonly fromBigint: boolean

  constructor(capacityHint: number, least: number, greatest: number, fromBigint: boolean) {
    this.values = new Int32Array(firstCapacity(capacityHint))
    this.least = least
    this.greatest = greatest
    this.fromBigint = fromBigint
  }

  get sizeBytes(): number {
    return this.count * 4
  }

  append(cell: Cell): void {
    const value = this.fromBigint && typeof cell === 'bigint' ? Number(cell) : cell
    assert(
      typeof value === 'number' && value >= this.least && value <= this.greatest && Number.isInteger(value),
      'a cell of a 32-bit column is not an integer of its range',
    )
    this.reserve(1)
    this.values[this.count++] = value
  }

  appendPacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    // A decimal is packed in two words; its low one is all of it.
    const [packed, stride] =
      column instanceof PackedInt64 ? [column.words, 2] : [(column as PackedInt32).values, 1]
    this.reserve(end - start)
    const { values, least, greatest } = this
    let at = this.count
    for (let i = start; i < end; i++) {
      const value = packed[stride * rows[i]!]!
      assert(value >= least && value <= greatest, 'a packed value is not of its column')
      values[at++] = value
    }
    this.count = at
  }

  appendStored(stored: StoredValues, places: Int32Array, convert: CellConversion): void {
    if (!(stored instanceof Int32Array && keepsForm(convert))) {
      appendConverted(this, stored, places, convert)
      return
    }
    this.reserve(places.length)
    const { values, least, greatest } = this
    let at = this.count
    for (let i = 0; i < places.length; i++) {
      const value = stored[places[i]!]!
      assert(value >= least && value <= greatest, 'a stored value is not of its column')
      values[at++] = value
    }
    this.count = at
  }

  plain(start: number, end: number): Uint8Array {
    return new Uint8Array(this.values.buffer, start * 4, (end - start) * 4)
  }

  plainSizeBytes(start: number, end: number): number {
    return (end - start) * 4
  }

  bounds(start: number, end: number): Bounds | undefined {
    if (start === end) return undefined
    const values = this.values
    let minIndex = start
    let maxIndex = start
    let min = values[start]!
    let max = min
    for (let i = start + 1; i < end; i++) {
      const value = values[i]!
      if (value < min) {
        min = value
        minIndex = i
      } else if (value > max) {
        max = value
        maxIndex = i
      }
    }
    return { minIndex, maxIndex, hasNaN: false }
  }

  isLess(a: number, b: number): boolean {
    return this.values[a]! < this.values[b]!
  }

  boundBytes(index: number): Uint8Array {
    return this.plain(index, index + 1)
  }

  boundCell(index: number): Cell {
    const value = this.values[index]!
    return this.fromBigint ? BigInt(value) : value
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
    const larger = new Int32Array(Math.max(this.values.length * 2, needed))
    larger.set(this.values)
    this.values = larger
  }
}

/** long, timestamps in microseconds, decimals of 10 to 18 digits. */
export class Int64Values implements ValueStore {
  count = 0
  private values: BigInt64Array
  /** The same bytes as pairs of 32-bit words, low word first: reading them makes no `bigint`. */
  private words: Int32Array
  private readonly least: bigint
  private readonly greatest: bigint

  constructor(capacityHint: number, least: bigint, greatest: bigint) {
    this.values = new BigInt64Array(firstCapacity(capacityHint))
    this.words = new Int32Array(this.values.buffer)
    this.least = least
    this.greatest = greatest
  }

  get sizeBytes(): number {
    return this.count * 8
  }

  append(cell: Cell): void {
    assert(
      typeof cell === 'bigint' && cell >= this.least && cell <= this.greatest,
      'a cell of a 64-bit column is not a bigint of its range',
    )
    this.reserve(1)
    this.values[this.count++] = cell
  }

  appendPacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    if (!(column instanceof PackedInt64)) {
      appendCells(this, column, rows, start, end)
      return
    }
    this.reserve(end - start)
    const { words } = this
    const packed = column.words
    let at = 2 * this.count
    for (let i = start; i < end; i++) {
      const row = rows[i]!
      words[at++] = packed[2 * row]!
      words[at++] = packed[2 * row + 1]!
    }
    this.count = at / 2
  }

  appendStored(stored: StoredValues, places: Int32Array, convert: CellConversion): void {
    if (!(stored instanceof BigInt64Array && keepsForm(convert))) {
      appendConverted(this, stored, places, convert)
      return
    }
    this.reserve(places.length)
    const { words } = this
    const from = new Int32Array(stored.buffer, stored.byteOffset, 2 * stored.length)
    let at = 2 * this.count
    for (let i = 0; i < places.length; i++) {
      const place = 2 * places[i]!
      words[at++] = from[place]!
      words[at++] = from[place + 1]!
    }
    this.count = at / 2
  }

  plain(start: number, end: number): Uint8Array {
    return new Uint8Array(this.values.buffer, start * 8, (end - start) * 8)
  }

  plainSizeBytes(start: number, end: number): number {
    return (end - start) * 8
  }

  bounds(start: number, end: number): Bounds | undefined {
    if (start === end) return undefined
    const { words } = this
    let minIndex = start
    let maxIndex = start
    let minHigh = words[2 * start + 1]!
    let minLow = words[2 * start]! >>> 0
    let maxHigh = minHigh
    let maxLow = minLow
    for (let i = start + 1; i < end; i++) {
      const high = words[2 * i + 1]!
      const low = words[2 * i]! >>> 0
      if (high < minHigh || (high === minHigh && low < minLow)) {
        minHigh = high
        minLow = low
        minIndex = i
      } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
        maxHigh = high
        maxLow = low
        maxIndex = i
      }
    }
    return { minIndex, maxIndex, hasNaN: false }
  }

  isLess(a: number, b: number): boolean {
    const words = this.words
    const highA = words[2 * a + 1]!
    const highB = words[2 * b + 1]!
    if (highA !== highB) return highA < highB
    return words[2 * a]! >>> 0 < words[2 * b]! >>> 0
  }

  boundBytes(index: number): Uint8Array {
    return this.plain(index, index + 1)
  }

  boundCell(index: number): Cell {
    return this.values[index]!
  }

  hash(index: number): number {
    return mixHash(mixHash(0, this.words[2 * index]!), this.words[2 * index + 1]!)
  }

  isSame(a: number, b: number): boolean {
    const words = this.words
    return words[2 * a] === words[2 * b] && words[2 * a + 1] === words[2 * b + 1]
  }

  private reserve(count: number): void {
    const needed = this.count + count
    if (needed <= this.values.length) return
    const larger = new BigInt64Array(Math.max(this.values.length * 2, needed))
    larger.set(this.values)
    this.values = larger
    this.words = new Int32Array(larger.buffer)
  }
}
