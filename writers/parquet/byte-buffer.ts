/** Bytes that grow at the end and can be used again. */
export class ByteBuffer {
  private bytes: Uint8Array
  private used = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.used
  }

  clear(): void {
    this.used = 0
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.used++] = value
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.used)
    this.used += bytes.length
  }

  /** Unsigned LEB128. */
  varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  /** Writes `value` in `byteCount` bytes, lowest first. */
  littleEndian(value: number, byteCount: number): void {
    for (let i = 0; i < byteCount; i++) this.byte((value >>> (8 * i)) & 0xff)
  }

  /** Overwrites four bytes already written: a length that is known only afterwards. */
  patchUint32(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.bytes[at + i] = (value >>> (8 * i)) & 0xff
  }

  /** What was written; stale after the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.used)
  }

  private reserve(count: number): void {
    if (this.used + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.used + count))
    larger.set(this.view())
    this.bytes = larger
  }
}
