/**
 * SipHash-2-4 with 128 bits of output (the authors' reference variant), in 32-bit halves: no `bigint`, nothing
 * allocated. A keyed hash, because two keys that collide would be one row to us: who does not know the key of this
 * process cannot make any.
 */
export class SipHash128 {
  readonly #k0l: number
  readonly #k0h: number
  readonly #k1l: number
  readonly #k1h: number
  /** The message as 64-bit words in halves, the last of them with its length. */
  #message = new Int32Array(64)

  /** @param key 16 random bytes */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16)
    this.#k0l = view.getInt32(0, true)
    this.#k0h = view.getInt32(4, true)
    this.#k1l = view.getInt32(8, true)
    this.#k1h = view.getInt32(12, true)
  }

  /** Hashes `bytes[0, length)` into `out[at .. at + 4)`, least significant word first. */
  hash(bytes: Uint8Array, length: number, out: Uint32Array, at: number): void {
    const whole = length >>> 3
    if (this.#message.length < 2 * whole + 2) this.#message = new Int32Array(4 * whole)
    const message = this.#message
    for (let i = 0; i < 2 * whole; i++) message[i] = word(bytes, 4 * i, 4)
    const rest = length & 7
    message[2 * whole] = word(bytes, 8 * whole, rest)
    message[2 * whole + 1] = word(bytes, 8 * whole + 4, rest - 4) | (length << 24)
    this.#hash(whole, out, at)
  }

  /** As `hash`, of nine bytes: one, and eight in two halves, the low one first. */
  hashNine(first: number, low: number, high: number, out: Uint32Array, at: number): void {
    const message = this.#message
    message[0] = first | (low << 8)
    message[1] = (low >>> 24) | (high << 8)
    message[2] = high >>> 24
    message[3] = 9 << 24
    this.#hash(1, out, at)
  }

  /**
   * Hashes so many whole words of the message and the one that ends it. v0 to v3 are held as halves in local variables,
   * and all rounds are one loop: this runs for every key there is.
   */
  #hash(whole: number, out: Uint32Array, at: number): void {
    const message = this.#message
    let a0 = this.#k0l ^ 0x70736575
    let a1 = this.#k0h ^ 0x736f6d65
    let b0 = this.#k1l ^ 0x6e646f6d ^ 0xee
    let b1 = this.#k1h ^ 0x646f7261
    let c0 = this.#k0l ^ 0x6e657261
    let c1 = this.#k0h ^ 0x6c796765
    let d0 = this.#k1l ^ 0x79746573
    let d1 = this.#k1h ^ 0x74656462
    for (let step = 0; step <= whole + 2; step++) {
      let low = 0
      let high = 0
      if (step <= whole) {
        low = message[2 * step]!
        high = message[2 * step + 1]!
        d0 ^= low
        d1 ^= high
      } else if (step === whole + 1) {
        c0 ^= 0xee
      } else {
        b0 ^= 0xdd
      }
      for (let round = step <= whole ? 2 : 4; round > 0; round--) {
        // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
        // `a + b` in two halves: the carry is told by the unsigned low word having wrapped. As a number, not by `?:`:
        // carries are random, and the processor would guess half of such branches wrong.
        let sum = (a0 + b0) | 0
        a1 = (a1 + b1 + Number(sum >>> 0 < a0 >>> 0)) | 0
        a0 = sum
        let turned = (b0 << 13) | (b1 >>> 19)
        b1 = ((b1 << 13) | (b0 >>> 19)) ^ a1
        b0 = turned ^ a0
        turned = a0
        a0 = a1
        a1 = turned
        // v2 += v3; v3 = rotl(v3, 16) ^ v2
        sum = (c0 + d0) | 0
        c1 = (c1 + d1 + Number(sum >>> 0 < c0 >>> 0)) | 0
        c0 = sum
        turned = (d0 << 16) | (d1 >>> 16)
        d1 = ((d1 << 16) | (d0 >>> 16)) ^ c1
        d0 = turned ^ c0
        // v0 += v3; v3 = rotl(v3, 21) ^ v0
        sum = (a0 + d0) | 0
        a1 = (a1 + d1 + Number(sum >>> 0 < a0 >>> 0)) | 0
        a0 = sum
        turned = (d0 << 21) | (d1 >>> 11)
        d1 = ((d1 << 21) | (d0 >>> 11)) ^ a1
        d0 = turned ^ a0
        // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
        sum = (c0 + b0) | 0
        c1 = (c1 + b1 + Number(sum >>> 0 < c0 >>> 0)) | 0
        c0 = sum
        turned = (b0 << 17) | (b1 >>> 15)
        b1 = ((b1 << 17) | (b0 >>> 15)) ^ c1
        b0 = turned ^ c0
        turned = c0
        c0 = c1
        c1 = turned
      }
      if (step <= whole) {
        a0 ^= low
        a1 ^= high
      } else {
        const to = at + (step - whole - 1) * 2
        out[to] = a0 ^ b0 ^ c0 ^ d0
        out[to + 1] = a1 ^ b1 ^ c1 ^ d1
      }
    }
  }
}

/** Up to four bytes, little endian, from `at` on. */
function word(bytes: Uint8Array, at: number, count: number): number {
  if (count >= 4) return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
  let value = 0
  for (let i = 0; i < count; i++) value |= bytes[at + i]! << (8 * i)
  return value
}
