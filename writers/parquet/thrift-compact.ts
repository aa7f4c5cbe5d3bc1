/** Type codes of Thrift's compact protocol, as far as Parquet's metadata needs them. */
const TRUE = 1
const FALSE = 2
const I8 = 3
const I16 = 4
const I32 = 5
const I64 = 6
const BINARY = 8
const LIST = 9
const STRUCT = 12

export type ThriftListElement = 'bool' | 'i32' | 'i64' | 'binary' | 'struct'

const LIST_ELEMENT_CODE: Readonly<Record<ThriftListElement, number>> = {
  bool: TRUE,
  i32: I32,
  i64: I64,
  binary: BINARY,
  struct: STRUCT,
}

/**
 * Writes one Thrift struct in the compact protocol. Fields are written in ascending id order; the methods whose name
 * ends in `Element` write what a list holds after `list` has told its length.
 *
 * @see Thrift's compact protocol specification, "Struct encoding", "List and Set"
 */
export class ThriftCompactWriter {
  private bytes = new Uint8Array(256)
  private length = 0
  private lastFieldId = 0
  private readonly outerFieldIds: number[] = []

  i8(id: number, value: number): void {
    this.header(id, I8)
    this.byte(value)
  }

  i16(id: number, value: number): void {
    this.header(id, I16)
    this.i32Element(value)
  }

  i32(id: number, value: number): void {
    this.header(id, I32)
    this.i32Element(value)
  }

  i64(id: number, value: number | bigint): void {
    this.header(id, I64)
    this.i64Element(value)
  }

  bool(id: number, value: boolean): void {
    this.header(id, value ? TRUE : FALSE)
  }

  binary(id: number, value: Uint8Array | string): void {
    this.header(id, BINARY)
    this.binaryElement(value)
  }

  /** A struct inside this one; `fields` writes what it holds. */
  struct(id: number, fields: () => void): void {
    this.header(id, STRUCT)
    this.structElement(fields)
  }

  list(id: number, element: ThriftListElement, size: number): void {
    this.header(id, LIST)
    const code = LIST_ELEMENT_CODE[element]
    if (size < 15) {
      this.byte((size << 4) | code)
    } else {
      this.byte(0xf0 | code)
      this.unsigned(size)
    }
  }

  boolElement(value: boolean): void {
    this.byte(value ? TRUE : FALSE)
  }

  i32Element(value: number): void {
    this.unsigned(((value << 1) ^ (value >> 31)) >>> 0)
  }

  i64Element(value: number | bigint): void {
    const wide = BigInt(value)
    let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n))
    while (rest > 0x7fn) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest))
  }

  binaryElement(value: Uint8Array | string): void {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
    this.unsigned(bytes.length)
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  structElement(fields: () => void): void {
    this.outerFieldIds.push(this.lastFieldId)
    this.lastFieldId = 0
    fields()
    this.byte(0)
    this.lastFieldId = this.outerFieldIds.pop() ?? 0
  }

  /** Ends the outermost struct. @returns its bytes */
  finish(): Uint8Array {
    this.byte(0)
    return this.bytes.slice(0, this.length)
  }

  private header(id: number, code: number): void {
    const delta = id - this.lastFieldId
    if (delta > 0 && delta < 16) {
      this.byte((delta << 4) | code)
    } else {
      this.byte(code)
      this.i32Element(id)
    }
    this.lastFieldId = id
  }

  private unsigned(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  private byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }
}
