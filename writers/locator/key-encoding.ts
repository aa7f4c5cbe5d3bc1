import { unreachable } from '../../core/assert.ts'
import type { Random } from '../../core/ports.ts'
import type { Cell, DecimalType, DeltaType, PrimitiveType } from '../../schemas/delta-types.ts'
import type { ByteArrays } from '../parquet/byte-arrays.ts'
import { SipHash128 } from './sip-hash.ts'

/** 32-bit words of one hash. */
export const HASH_WORDS = 4

/** What an encoded integer begins with. */
const INTEGER = 2

/** Keyed with nothing: for what must be the same in every process. */
const DIGEST = new SipHash128(new Uint8Array(16))

/** A text as 32 hexadecimal digits, the same in every process. */
export function textDigest(text: string): string {
  const bytes = Buffer.from(text)
  const words = new Uint32Array(HASH_WORDS)
  DIGEST.hash(bytes, bytes.length, words, 0)
  return hexText(words)
}

function hexText(words: Uint32Array): string {
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('')
}

/**
 * Turns key values (or whole rows) into 128-bit keyed hashes. Values that a widened column keeps equal hash equal:
 * an `integer` 7 and a `long` 7, a `decimal(10,2)` 1.50 and a `decimal(12,3)` 1.500.
 */
export class KeyHasher {
  readonly #hash: SipHash128
  readonly #text = new TextEncoder()
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** The key of the hash: who knows it can make keys that collide. */
  readonly secret: Uint8Array

  constructor(random: Pick<Random, 'bytes'>) {
    this.secret = random.bytes(16)
    this.#hash = new SipHash128(this.secret)
  }

  /** As another process hashed, with the key that it had. */
  static withSecret(secret: Uint8Array): KeyHasher {
    return new KeyHasher({ bytes: () => secret })
  }

  /** Hashes the values of a key, in key order, into `out[at .. at + 4)`. */
  hashKey(types: readonly DeltaType[], values: readonly Cell[], out: Uint32Array, at: number): void {
    this.#putKey(types, values)
    this.#hash.hash(this.#bytes, this.#length, out, at)
  }

  /** As `hashKey`, of a key that is one `long` or narrower integer, in halves. */
  hashInt64(low: number, high: number, out: Uint32Array, at: number): void {
    this.#hash.hashNine(INTEGER, low, high, out, at)
  }

  /** Begins a key whose values come one by one, as `hashKey` takes them together. */
  begin(): void {
    this.#length = 0
  }

  addCell(type: DeltaType, cell: Cell): void {
    this.#put(type, cell === '' ? null : cell === 0 ? 0 : cell)
  }

  /** A `long`, or any narrower integer. */
  addInt64(low: number, high: number): void {
    this.#putByte(INTEGER)
    this.#reserve(8)
    this.#view.setInt32(this.#length, low, true)
    this.#view.setInt32(this.#length + 4, high, true)
    this.#length += 8
  }

  /** A `string`, in UTF-8. */
  addUtf8(texts: ByteArrays, index: number): void {
    const length = texts.lengthAt(index)
    if (length === 0) {
      this.#putByte(0)
      return
    }
    this.#putByte(5)
    this.#reserve(4 + length)
    this.#view.setInt32(this.#length, length, true)
    texts.copyAt(index, this.#bytes, this.#length + 4)
    this.#length += 4 + length
  }

  /** Ends it: its hash is in `out[at .. at + 4)`. */
  finish(out: Uint32Array, at: number): void {
    this.#hash.hash(this.#bytes, this.#length, out, at)
  }

  /** The values of a key as a text that does not depend on this process, nor on how wide the columns are. */
  keyText(types: readonly DeltaType[], values: readonly Cell[]): string {
    this.#putKey(types, values)
    return Buffer.from(this.#bytes.subarray(0, this.#length)).toString('base64')
  }

  /** As `hashKey`, of a key's text. */
  hashKeyText(text: string, out: Uint32Array, at: number): void {
    const bytes = Buffer.from(text, 'base64')
    this.#hash.hash(bytes, bytes.length, out, at)
  }

  /**
   * Hashes a whole row by column name, nulls left out: a column that appears later, null in older rows, does not
   * change what an older row hashes to. `columns` is in one fixed order of names.
   */
  hashRow(
    columns: readonly { readonly name: string; readonly type: DeltaType }[],
    cells: readonly Cell[],
    out: Uint32Array,
    at: number,
  ): void {
    this.#putRow(columns, cells)
    this.#hash.hash(this.#bytes, this.#length, out, at)
  }

  /** As `hashRow`, but the same in every process: 32 hexadecimal digits. */
  rowDigest(
    columns: readonly { readonly name: string; readonly type: DeltaType }[],
    cells: readonly Cell[],
  ): string {
    const words = new Uint32Array(HASH_WORDS)
    this.#putRow(columns, cells)
    DIGEST.hash(this.#bytes, this.#length, words, 0)
    return hexText(words)
  }

  #putRow(
    columns: readonly { readonly name: string; readonly type: DeltaType }[],
    cells: readonly Cell[],
  ): void {
    this.#length = 0
    for (let i = 0; i < columns.length; i++) {
      const cell = cells[i]!
      if (cell === null) continue
      this.#putText(columns[i]!.name)
      this.#put(columns[i]!.type, cell)
    }
  }

  /**
   * A key is never null, and its zeros are one key: what a partition column loses of them (an empty string is read back
   * as null, -0 as 0) makes no difference.
   */
  #putKey(types: readonly DeltaType[], values: readonly Cell[]): void {
    this.#length = 0
    for (let i = 0; i < types.length; i++) {
      const cell = values[i]!
      this.#put(types[i]!, cell === '' ? null : cell === 0 ? 0 : cell)
    }
  }

  #put(type: DeltaType, cell: Cell): void {
    if (cell === null) this.#putByte(0)
    else if (typeof type === 'string') this.#putPrimitive(type, cell)
    else if (type.kind === 'decimal') this.#putTagged(7, decimalText(type, cell as bigint))
    else if (type.kind === 'array') this.#putAll(8, cell as readonly Cell[], () => type.element)
    else if (type.kind === 'struct') this.#putAll(9, cell as readonly Cell[], (i) => type.fields[i]!.type)
    else this.#putAll(10, (cell as readonly Cell[]).flat(1), (i) => (i % 2 === 0 ? type.key : type.value))
  }

  #putPrimitive(type: PrimitiveType, cell: Cell): void {
    switch (type) {
      case 'boolean':
        this.#putByte(1)
        this.#putByte(cell === true ? 1 : 0)
        break
      case 'byte':
      case 'short':
      case 'integer':
        this.#putByte(INTEGER)
        this.#putInt32As64(cell as number)
        break
      case 'long':
        this.#putByte(INTEGER)
        this.#putInt64(cell as bigint)
        break
      case 'date':
        this.#putByte(3)
        this.#putInt32As64(cell as number)
        break
      case 'timestamp':
      case 'timestamp_ntz':
        this.#putByte(3)
        this.#putInt64(cell as bigint)
        break
      case 'float':
      case 'double':
        this.#putByte(4)
        this.#putFloat64(cell as number)
        break
      case 'string':
        this.#putTagged(5, cell as string)
        break
      case 'binary':
        this.#putByte(6)
        this.#putBytes(cell as Uint8Array)
        break
      default:
        unreachable(type)
    }
  }

  #putTagged(tag: number, text: string): void {
    this.#putByte(tag)
    this.#putText(text)
  }

  #putAll(tag: number, cells: readonly Cell[], typeOf: (index: number) => DeltaType): void {
    this.#putByte(tag)
    this.#putInt64(BigInt(cells.length))
    for (let i = 0; i < cells.length; i++) this.#put(typeOf(i), cells[i]!)
  }

  #putByte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  #putInt32As64(value: number): void {
    this.#reserve(8)
    this.#view.setInt32(this.#length, value, true)
    this.#view.setInt32(this.#length + 4, value < 0 ? -1 : 0, true)
    this.#length += 8
  }

  #putInt64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigInt64(this.#length, value, true)
    this.#length += 8
  }

  #putFloat64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** Length first, so that `['ab','c']` and `['a','bc']` differ. */
  #putText(value: string): void {
    this.#reserve(4 + value.length * 3)
    const { written } = this.#text.encodeInto(value, this.#bytes.subarray(this.#length + 4))
    this.#view.setInt32(this.#length, written, true)
    this.#length += 4 + written
  }

  #putBytes(value: Uint8Array): void {
    this.#reserve(4 + value.length)
    this.#view.setInt32(this.#length, value.length, true)
    this.#bytes.set(value, this.#length + 4)
    this.#length += 4 + value.length
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Trailing zeros stripped, so that the scale of the column does not matter. */
function decimalText(type: DecimalType, unscaled: bigint): string {
  let digits = unscaled
  let scale = type.scale
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n
    scale--
  }
  return `${digits}e-${scale}`
}
