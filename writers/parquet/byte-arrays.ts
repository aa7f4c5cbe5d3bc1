/** Up to this length a loop beats the call that copies. */
const SHORT = 96

/** Byte sequences that lie in one buffer. Nothing is made for a sequence that nobody asks for. */
export class ByteArrays {
  readonly length: number
  private readonly buffer: Buffer
  /** Where sequence `i` begins, its length prefix included; one more entry than sequences. */
  private readonly starts: Uint32Array
  private readonly prefixBytes: number

  private constructor(bytes: Uint8Array, starts: Uint32Array, prefixBytes: number) {
    this.length = starts.length - 1
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.starts = starts
    this.prefixBytes = prefixBytes
  }

  /** BYTE_ARRAY in PLAIN encoding: each behind its length. @throws RangeError when the bytes end too early */
  static ofPlain(bytes: Uint8Array, count: number): ByteArrays {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const starts = new Uint32Array(count + 1)
    let at = 0
    for (let i = 0; i < count; i++) {
      at += 4 + view.getUint32(at, true)
      starts[i + 1] = at
    }
    checkEnd(at, bytes)
    return new ByteArrays(bytes, starts, 4)
  }

  /** FIXED_LEN_BYTE_ARRAY in PLAIN encoding. @throws RangeError when the bytes end too early */
  static ofFixed(bytes: Uint8Array, count: number, width: number): ByteArrays {
    checkEnd(count * width, bytes)
    const starts = Uint32Array.from({ length: count + 1 }, (_, i) => i * width)
    return new ByteArrays(bytes, starts, 0)
  }

  static ofParts(parts: readonly Uint8Array[]): ByteArrays {
    const starts = new Uint32Array(parts.length + 1)
    parts.forEach((part, i) => {
      starts[i + 1] = starts[i]! + part.length
    })
    return new ByteArrays(Buffer.concat(parts), starts, 0)
  }

  /** UTF-8 as text. */
  textAt(index: number): string {
    return this.buffer.toString('utf8', this.starts[index]! + this.prefixBytes, this.starts[index + 1]!)
  }

  /** A copy, so that it does not keep the whole buffer alive. */
  bytesAt(index: number): Uint8Array {
    return new Uint8Array(this.viewAt(index))
  }

  lengthAt(index: number): number {
    return this.starts[index + 1]! - this.starts[index]! - this.prefixBytes
  }

  /** Copies a sequence to `out[at ..]`. */
  copyAt(index: number, out: Uint8Array, at: number): void {
    const { buffer } = this
    let from = this.starts[index]! + this.prefixBytes
    const end = this.starts[index + 1]!
    if (end - from > SHORT) buffer.copy(out, at, from, end)
    else for (let to = at; from < end; from++, to++) out[to] = buffer[from]!
  }

  /** Big-endian two's complement. */
  bigintAt(index: number): bigint {
    const bytes = this.viewAt(index)
    let value = 0n
    for (const byte of bytes) value = (value << 8n) | BigInt(byte)
    return BigInt.asIntN(bytes.length * 8, value)
  }

  private viewAt(index: number): Uint8Array {
    return this.buffer.subarray(this.starts[index]! + this.prefixBytes, this.starts[index + 1]!)
  }
}

function checkEnd(end: number, bytes: Uint8Array): void {
  if (end > bytes.length) throw new RangeError(`values take ${end} bytes of a page that has ${bytes.length}`)
}
