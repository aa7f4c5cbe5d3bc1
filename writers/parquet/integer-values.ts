import { assert } from '../../core/assert.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { type Bounds, boundsByComparing, firstCapacity, mixHash, type ValueStore } from './value-store.ts'

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
    if (this.count === this.values.length) {
      const larger = new Int32Array(this.count * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.count++] = value
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
    if (this.count === this.values.length) {
      const larger = new BigInt64Array(this.count * 2)
      larger.set(this.values)
      this.values = larger
      this.words = new Int32Array(larger.buffer)
    }
    this.values[this.count++] = cell
  }

  plain(start: number, end: number): Uint8Array {
    return new Uint8Array(this.values.buffer, start * 8, (end - start) * 8)
  }

  plainSizeBytes(start: number, end: number): number {
    return (end - start) * 8
  }

  bounds(start: number, end: number): Bounds | undefined {
    return boundsByComparing(this, start, end)
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
}
