import { type Cell, type DeltaType, UNAVAILABLE } from './delta-types.ts'
import { isSameCell } from './same-cell.ts'

/** What a row has in a column. */
export const PACKED_NULL = 0
export const PACKED_VALUE = 1
/** Unchanged TOAST: unknown, not null. */
export const PACKED_UNSENT = 2

const BYTES_PER_VALUE = 24
/** Up to this length a loop beats the call into native code. */
const SHORT = 32

/**
 * The cells of one column of a block, by row. A row is put once, in order; putting it again replaces it as long as no
 * later one was put.
 */
export abstract class PackedColumn {
  /** Per row one of the `PACKED_` states. */
  states: Uint8Array

  constructor(capacity: number) {
    this.states = new Uint8Array(capacity)
  }

  putNull(row: number): void {
    this.states[row] = PACKED_NULL
  }

  putUnsent(row: number): void {
    this.states[row] = PACKED_UNSENT
  }

  /** @param cell of the column's type, not null */
  abstract putCell(row: number, cell: Cell): void

  cell(row: number): Cell | typeof UNAVAILABLE {
    const state = this.states[row]
    return state === PACKED_VALUE ? this.value(row) : state === PACKED_NULL ? null : UNAVAILABLE
  }

  /** Whether row `a` of this column and row `b` of another of the same type hold the same. */
  isSame(a: number, other: PackedColumn, b: number): boolean {
    const state = this.states[a]
    if (state !== other.states[b] || state === PACKED_UNSENT) return false
    return state === PACKED_NULL || this.isSameValue(a, other, b)
  }

  /** Makes room for that many rows. */
  grow(capacity: number): void {
    const larger = new Uint8Array(capacity)
    larger.set(this.states)
    this.states = larger
  }

  protected abstract value(row: number): Cell
  protected abstract isSameValue(a: number, other: PackedColumn, b: number): boolean
}

/** byte, short, integer, date, boolean (1 and 0). */
export class PackedInt32 extends PackedColumn {
  values: Int32Array
  readonly #isBoolean: boolean

  constructor(capacity: number, isBoolean: boolean) {
    super(capacity)
    this.values = new Int32Array(capacity)
    this.#isBoolean = isBoolean
  }

  putInteger(row: number, value: number): void {
    this.states[row] = PACKED_VALUE
    this.values[row] = value
  }

  putCell(row: number, cell: Cell): void {
    this.putInteger(row, Number(cell))
  }

  override grow(capacity: number): void {
    super.grow(capacity)
    const larger = new Int32Array(capacity)
    larger.set(this.values)
    this.values = larger
  }

  protected value(row: number): Cell {
    return this.#isBoolean ? this.values[row] === 1 : this.values[row]!
  }

  protected isSameValue(a: number, other: PackedInt32, b: number): boolean {
    return this.values[a] === other.values[b]
  }
}

/** long, timestamps, decimals of up to 18 digits. */
export class PackedInt64 extends PackedColumn {
  #values: BigInt64Array
  /** The same bytes as pairs of 32-bit words, low word first: whoever reads them makes no `bigint`. */
  words: Int32Array

  constructor(capacity: number) {
    super(capacity)
    this.#values = new BigInt64Array(capacity)
    this.words = new Int32Array(this.#values.buffer)
  }

  /** @param value a safe integer */
  putInteger(row: number, value: number): void {
    this.states[row] = PACKED_VALUE
    this.words[2 * row] = value
    this.words[2 * row + 1] = Math.floor(value / 0x1_0000_0000)
  }

  putCell(row: number, cell: Cell): void {
    this.states[row] = PACKED_VALUE
    this.#values[row] = cell as bigint
  }

  override grow(capacity: number): void {
    super.grow(capacity)
    const larger = new BigInt64Array(capacity)
    larger.set(this.#values)
    this.#values = larger
    this.words = new Int32Array(larger.buffer)
  }

  protected value(row: number): Cell {
    return this.#values[row]!
  }

  protected isSameValue(a: number, { words }: PackedInt64, b: number): boolean {
    return this.words[2 * a] === words[2 * b] && this.words[2 * a + 1] === words[2 * b + 1]
  }
}

/** float, double. */
export class PackedDoubles extends PackedColumn {
  values: Float64Array

  constructor(capacity: number) {
    super(capacity)
    this.values = new Float64Array(capacity)
  }

  putReal(row: number, value: number): void {
    this.states[row] = PACKED_VALUE
    this.values[row] = value
  }

  putCell(row: number, cell: Cell): void {
    this.putReal(row, cell as number)
  }

  override grow(capacity: number): void {
    super.grow(capacity)
    const larger = new Float64Array(capacity)
    larger.set(this.values)
    this.values = larger
  }

  protected value(row: number): Cell {
    return this.values[row]!
  }

  protected isSameValue(a: number, other: PackedDoubles, b: number): boolean {
    return Object.is(this.values[a], other.values[b])
  }
}

/** string (as UTF-8) and binary: the bytes of all rows one after another. */
export class PackedBytes extends PackedColumn {
  arena: Buffer
  /** Where row `i` ends; it begins where the row before it ends. */
  ends: Uint32Array
  readonly #isText: boolean

  constructor(capacity: number, isText: boolean) {
    super(capacity)
    this.#isText = isText
    this.arena = Buffer.allocUnsafeSlow(capacity * BYTES_PER_VALUE)
    this.ends = new Uint32Array(capacity)
  }

  start(row: number): number {
    return row === 0 ? 0 : this.ends[row - 1]!
  }

  override putNull(row: number): void {
    this.states[row] = PACKED_NULL
    this.ends[row] = this.start(row)
  }

  override putUnsent(row: number): void {
    this.states[row] = PACKED_UNSENT
    this.ends[row] = this.start(row)
  }

  /** @param bytes of a text: UTF-8 */
  putBytes(row: number, bytes: Buffer, from: number, to: number): void {
    const start = this.beginBytes(row, to - from)
    const { arena } = this
    if (to - from > SHORT) bytes.copy(arena, start, from, to)
    else for (let i = from, at = start; i < to; i++, at++) arena[at] = bytes[i]!
    this.endBytes(row, start + to - from)
  }

  /**
   * Makes room for a value that the caller writes into `arena` and ends by `endBytes`.
   *
   * @returns where it begins
   */
  beginBytes(row: number, sizeBytesMax: number): number {
    const start = this.start(row)
    if (start + sizeBytesMax > this.arena.length) this.#reserve(start, start + sizeBytesMax)
    return start
  }

  endBytes(row: number, end: number): void {
    this.states[row] = PACKED_VALUE
    this.ends[row] = end
  }

  putCell(row: number, cell: Cell): void {
    const bytes = typeof cell === 'string' ? Buffer.from(cell) : Buffer.from(cell as Uint8Array<ArrayBuffer>)
    this.putBytes(row, bytes, 0, bytes.length)
  }

  override grow(capacity: number): void {
    super.grow(capacity)
    const larger = new Uint32Array(capacity)
    larger.set(this.ends)
    this.ends = larger
  }

  protected value(row: number): Cell {
    const start = this.start(row)
    const end = this.ends[row]!
    return this.#isText
      ? this.arena.toString('utf8', start, end)
      : new Uint8Array(this.arena.subarray(start, end))
  }

  protected isSameValue(a: number, other: PackedBytes, b: number): boolean {
    let atA = this.start(a)
    let atB = other.start(b)
    const endA = this.ends[a]!
    if (endA - atA !== other.ends[b]! - atB) return false
    if (endA - atA > SHORT) return this.arena.compare(other.arena, atB, other.ends[b]!, atA, endA) === 0
    while (atA < endA) if (this.arena[atA++] !== other.arena[atB++]) return false
    return true
  }

  #reserve(used: number, needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.arena.length * 2, needed))
    this.arena.copy(larger, 0, 0, used)
    this.arena = larger
  }
}

/** Everything else: decimals of more than 18 digits, arrays, maps, structs. */
export class PackedCells extends PackedColumn {
  readonly cells: Cell[] = []

  putCell(row: number, cell: Cell): void {
    this.states[row] = PACKED_VALUE
    this.cells[row] = cell
  }

  protected value(row: number): Cell {
    return this.cells[row]!
  }

  protected isSameValue(a: number, other: PackedCells, b: number): boolean {
    return isSameCell(this.cells[a]!, other.cells[b]!)
  }
}

/** A column for cells of a type. */
export function packedColumn(type: DeltaType, capacity: number): PackedColumn {
  if (typeof type !== 'string') {
    return type.kind === 'decimal' && type.precision <= 18
      ? new PackedInt64(capacity)
      : new PackedCells(capacity)
  }
  switch (type) {
    case 'boolean':
      return new PackedInt32(capacity, true)
    case 'byte':
    case 'short':
    case 'integer':
    case 'date':
      return new PackedInt32(capacity, false)
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return new PackedInt64(capacity)
    case 'float':
    case 'double':
      return new PackedDoubles(capacity)
    case 'string':
    case 'binary':
      return new PackedBytes(capacity, type === 'string')
  }
}
