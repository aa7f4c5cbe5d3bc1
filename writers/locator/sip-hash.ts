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
    state[V0L] = this.#k0l ^ 0x70736575
    state[V0H] = this.#k0h ^ 0x736f6d65
    state[V1L] = this.#k1l ^ 0x6e646f6d ^ 0xee
    state[V1H] = this.#k1h ^ 0x646f7261
    state[V2L] = this.#k0l ^ 0x6e657261
    state[V2H] = this.#k0h ^ 0x6c796765
    state[V3L] = this.#k1l ^ 0x79746573
    state[V3H] = this.#k1h ^ 0x74656462

    const whole = length & ~7
    for (let i = 0; i < whole; i += 8) compress(word(bytes, i, 4), word(bytes, i + 4, 4))
    const rest = length - whole
    const low = word(bytes, whole, Math.min(rest, 4))
    const high = word(bytes, whole + 4, Math.max(rest - 4, 0)) | (length << 24) | 0
    compress(low, high)

    state[V2L]! ^= 0xee
    rounds(4)
    emit(out, at)
    state[V1L]! ^= 0xdd
    rounds(4)
    emit(out, at + 2)
  }
}

const V0L = 0
const V0H = 1
const V1L = 2
const V1H = 3
const V2L = 4
const V2H = 5
const V3L = 6
const V3H = 7

/** v0..v3 as (low, high) pairs. One for all: a hash runs to its end before another begins. */
const state = new Int32Array(8)

/** Up to four bytes, little endian, from `at` on. */
function word(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let i = 0; i < count; i++) value |= bytes[at + i]! << (8 * i)
  return value
}

function emit(out: Uint32Array, at: number): void {
  out[at] = state[V0L]! ^ state[V1L]! ^ state[V2L]! ^ state[V3L]!
  out[at + 1] = state[V0H]! ^ state[V1H]! ^ state[V2H]! ^ state[V3H]!
}

function compress(low: number, high: number): void {
  state[V3L]! ^= low
  state[V3H]! ^= high
  rounds(2)
  state[V0L]! ^= low
  state[V0H]! ^= high
}

/** SipRound, `count` times. `a + b` in two halves: the carry is told by the unsigned low word having wrapped. */
function rounds(count: number): void {
  let a0 = state[V0L]!
  let a1 = state[V0H]!
  let b0 = state[V1L]!
  let b1 = state[V1H]!
  let c0 = state[V2L]!
  let c1 = state[V2H]!
  let d0 = state[V3L]!
  let d1 = state[V3H]!
  for (let i = 0; i < count; i++) {
    // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
    let low = (a0 + b0) | 0
    a1 = (a1 + b1 + (low >>> 0 < a0 >>> 0 ? 1 : 0)) | 0
    a0 = low
    let turned = (b0 << 13) | (b1 >>> 19)
    b1 = ((b1 << 13) | (b0 >>> 19)) ^ a1
    b0 = turned ^ a0
    turned = a0
    a0 = a1
    a1 = turned
    // v2 += v3; v3 = rotl(v3, 16) ^ v2
    low = (c0 + d0) | 0
    c1 = (c1 + d1 + (low >>> 0 < c0 >>> 0 ? 1 : 0)) | 0
    c0 = low
    turned = (d0 << 16) | (d1 >>> 16)
    d1 = ((d1 << 16) | (d0 >>> 16)) ^ c1
    d0 = turned ^ c0
    // v0 += v3; v3 = rotl(v3, 21) ^ v0
    low = (a0 + d0) | 0
    a1 = (a1 + d1 + (low >>> 0 < a0 >>> 0 ? 1 : 0)) | 0
    a0 = low
    turned = (d0 << 21) | (d1 >>> 11)
    d1 = ((d1 << 21) | (d0 >>> 11)) ^ a1
    d0 = turned ^ a0
    // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
    low = (c0 + b0) | 0
    c1 = (c1 + b1 + (low >>> 0 < c0 >>> 0 ? 1 : 0)) | 0
    c0 = low
    turned = (b0 << 17) | (b1 >>> 15)
    b1 = ((b1 << 17) | (b0 >>> 15)) ^ c1
    b0 = turned ^ c0
    turned = c0
    c0 = c1
    c1 = turned
  }
  state[V0L] = a0
  state[V0H] = a1
  state[V1L] = b0
  state[V1H] = b1
  state[V2L] = c0
  state[V2H] = c1
  state[V3L] = d0
  state[V3H] = d1
}
