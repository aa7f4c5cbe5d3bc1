import { assert } from '../../core/assert.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import { PackedBytes, type PackedColumn } from '../../schemas/packed-columns.ts'
import { ByteArrays } from './byte-arrays.ts'
import { type CellConversion, keepsForm, type StoredValues } from './cell-conversion.ts'
import { decimalByteLength } from './physical-types.ts'
import {
  appendCells,
  appendConverted,
  type Bounds,
  boundsByComparing,
  firstCapacity,
  mixHash,
  type ValueStore,
} from './value-store.ts'

/** Up to this length a loop over character codes beats the call into the native encoder. */
const SHORT_STRING = 40
/** Up to this length a loop over bytes beats the call that copies them. */
const SHORT_BYTES = 96
const LENGTH_BYTES = 4
const EXPECTED_VALUE_BYTES = 24

/**
 * string and binary. The arena holds each value exactly as PLAIN writes it, a 4-byte little-endian length and then the
 * bytes, so that a page is one copy.
 */
export class ByteArrayValues implements ValueStore {
  count = 0
  private readonly isText: boolean
  private arena: Buffer
  /** Where value `i` begins in the arena; one more entry than values. */
  private starts: Uint32Array

  constructor(capacityHint: number, isText: boolean) {
    this.isText = isText
    this.starts = new Uint32Array(firstCapacity(capacityHint) + 1)
    this.arena = Buffer.allocUnsafe(firstCapacity(capacityHint) * EXPECTED_VALUE_BYTES)
  }

  get sizeBytes(): number {
    return this.starts[this.count]!
  }

  append(cell: Cell): void {
    const start = this.starts[this.count]!
    const from = start + LENGTH_BYTES
    let end: number
    if (this.isText) {
      assert(typeof cell === 'string', 'a cell of a string column is not a string')
      end = this.putText(cell, from)
    } else {
      assert(cell instanceof Uint8Array, 'a cell of a binary column is not a Uint8Array')
      this.reserveBytes(from + cell.length)
      this.arena.set(cell, from)
      end = from + cell.length
    }
    putLength(this.arena, start, end - from)
    this.reserveStarts(1)
    this.starts[++this.count] = end
  }

  appendPacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    if (!(column instanceof PackedBytes)) {
      appendCells(this, column, rows, start, end)
      return
    }
    const { ends, arena: source } = column
    let at = this.sizeBytes
    let needed = at
    for (let i = start; i < end; i++) needed += LENGTH_BYTES + ends[rows[i]!]! - column.start(rows[i]!)
    this.reserveBytes(needed)
    this.reserveStarts(end - start)
    const { arena, starts } = this
    let { count } = this
    for (let i = start; i < end; i++) {
      const row = rows[i]!
      const to = ends[row]!
      let from = column.start(row)
      putLength(arena, at, to - from)
      at += LENGTH_BYTES
      if (to - from > SHORT_BYTES) {
        source.copy(arena, at, from, to)
        at += to - from
      } else while (from < to) arena[at++] = source[from++]!
      starts[++count] = at
    }
    this.count = count
  }

  appendStored(stored: StoredValues, places: Int32Array, convert: CellConversion): void {
    if (!(stored instanceof ByteArrays && keepsForm(convert))) {
      appendConverted(this, stored, places, convert)
      return
    }
    let at = this.sizeBytes
    let needed = at
    for (let i = 0; i < places.length; i++) needed += LENGTH_BYTES + stored.lengthAt(places[i]!)
    this.reserveBytes(needed)
    this.reserveStarts(places.length)
    const { arena, starts } = this
    let { count } = this
    for (let i = 0; i < places.length; i++) {
      const length = stored.lengthAt(places[i]!)
      putLength(arena, at, length)
      stored.copyAt(places[i]!, arena, at + LENGTH_BYTES)
      at += LENGTH_BYTES + length
      starts[++count] = at
    }
    this.count = count
  }

  plain(start: number, end: number): Uint8Array {
    return this.arena.subarray(this.starts[start]!, this.starts[end]!)
  }

  plainSizeBytes(start: number, end: number): number {
    return this.starts[end]! - this.starts[start]!
  }

  bounds(start: number, end: number): Bounds | undefined {
    return boundsByComparing(this, start, end)
  }

  /** By unsigned bytes: for UTF-8 that is the order of code points, which UTF-16 order is not. */
  isLess(a: number, b: number): boolean {
    const { arena, starts } = this
    let atA = starts[a]! + LENGTH_BYTES
    let atB = starts[b]! + LENGTH_BYTES
    const endA = starts[a + 1]!
    const endB = starts[b + 1]!
    while (atA < endA && atB < endB) {
      const byteA = arena[atA++]!
      const byteB = arena[atB++]!
      if (byteA !== byteB) return byteA < byteB
    }
    return atB < endB
  }

  boundBytes(index: number): Uint8Array {
    return this.arena.subarray(this.starts[index]! + LENGTH_BYTES, this.starts[index + 1]!)
  }

  boundCell(index: number): Cell {
    const bytes = this.boundBytes(index)
    return this.isText
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
      : bytes.slice()
  }

  hash(index: number): number {
    const end = this.starts[index + 1]!
    let hash = end - this.starts[index]!
    for (let i = this.starts[index]! + LENGTH_BYTES; i < end; i++) hash = Math.imul(hash, 31) + this.arena[i]!
    return mixHash(0, hash)
  }

  isSame(a: number, b: number): boolean {
    const { arena, starts } = this
    let atA = starts[a]!
    let atB = starts[b]!
    const endA = starts[a + 1]!
    if (endA - atA !== starts[b + 1]! - atB) return false
    while (atA < endA) if (arena[atA++] !== arena[atB++]) return false
    return true
  }

  private putText(text: string, from: number): number {
    const length = text.length
    this.reserveBytes(from + length * 3)
    const arena = this.arena
    if (length > SHORT_STRING) return from + arena.write(text, from, 'utf8')
    let at = from
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return from + arena.write(text, from, 'utf8')
      arena[at++] = code
    }
    return at
  }

  private reserveStarts(count: number): void {
    const needed = this.count + count + 1
    if (needed <= this.starts.length) return
    const larger = new Uint32Array(Math.max(this.starts.length * 2, needed))
    larger.set(this.starts)
    this.starts = larger
  }

  private reserveBytes(needed: number): void {
    if (needed <= this.arena.length) return
    assert(needed < 2 ** 31, 'a column of one file has grown past 2 GiB: cut the batch earlier')
    const larger = Buffer.allocUnsafe(Math.max(this.arena.length * 2, needed))
    larger.set(this.arena.subarray(0, this.starts[this.count]!))
    this.arena = larger
  }
}

/** Decimals of more than 18 digits: big-endian two's complement of one fixed length. */
export class FixedDecimalValues implements ValueStore {
  count = 0
  private readonly width: number
  private readonly greatest: bigint
  private arena: Uint8Array
  private readonly scratch = new Uint8Array(16)
  private readonly scratchView = new DataView(this.scratch.buffer)

  constructor(capacityHint: number, precision: number) {
    const width = decimalByteLength(precision)
    this.width = width
    this.greatest = 10n ** BigInt(precision) - 1n
    this.arena = new Uint8Array(firstCapacity(capacityHint) * width)
  }

  get sizeBytes(): number {
    return this.count * this.width
  }

  append(cell: Cell): void {
    const { width, scratchView } = this
    assert(
      typeof cell === 'bigint' && cell >= -this.greatest && cell <= this.greatest,
      'a cell of a decimal column is not a bigint of its range',
    )
    scratchView.setBigInt64(0, cell >> 64n)
    scratchView.setBigUint64(8, BigInt.asUintN(64, cell))
    const at = this.count * width
    if (at === this.arena.length) {
      const larger = new Uint8Array(at * 2)
      larger.set(this.arena)
      this.arena = larger
    }
    this.arena.set(this.scratch.subarray(16 - width), at)
    this.count++
  }

  appendPacked(column: PackedColumn, rows: Int32Array, start: number, end: number): void {
    appendCells(this, column, rows, start, end)
  }

  appendStored(stored: StoredValues, places: Int32Array, convert: CellConversion): void {
    appendConverted(this, stored, places, convert)
  }

  plain(start: number, end: number): Uint8Array {
    return this.arena.subarray(start * this.width, end * this.width)
  }

  plainSizeBytes(start: number, end: number): number {
    return (end - start) * this.width
  }

  bounds(start: number, end: number): Bounds | undefined {
    return boundsByComparing(this, start, end)
  }

  isLess(a: number, b: number): boolean {
    const { arena, width } = this
    const atA = a * width
    const atB = b * width
    // Only the first byte carries the sign.
    const firstA = (arena[atA]! << 24) >> 24
    const firstB = (arena[atB]! << 24) >> 24
    if (firstA !== firstB) return firstA < firstB
    for (let i = 1; i < width; i++) {
      const byteA = arena[atA + i]!
      const byteB = arena[atB + i]!
      if (byteA !== byteB) return byteA < byteB
    }
    return false
  }

  boundBytes(index: number): Uint8Array {
    return this.plain(index, index + 1)
  }

  boundCell(index: number): Cell {
    let value = 0n
    for (const byte of this.boundBytes(index)) value = (value << 8n) | BigInt(byte)
    return BigInt.asIntN(this.width * 8, value)
  }

  hash(index: number): number {
    let hash = 0
    for (let i = index * this.width; i < (index + 1) * this.width; i++)
      hash = Math.imul(hash, 31) + this.arena[i]!
    return mixHash(0, hash)
  }

  isSame(a: number, b: number): boolean {
    for (let i = 0; i < this.width; i++) {
      if (this.arena[a * this.width + i] !== this.arena[b * this.width + i]) return false
    }
    return true
  }
}

function putLength(arena: Buffer, at: number, length: number): void {
  arena[at] = length
  arena[at + 1] = length >>> 8
  arena[at + 2] = length >>> 16
  arena[at + 3] = length >>> 24
}
