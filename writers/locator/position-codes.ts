import { assert } from '../../core/assert.ts'
import type { Position } from '../../schemas/position.ts'

const SEQ_BITS = 26
const DISTANCE_BITS = 18
const ANCHOR_BITS = 20

/** What the positions of many rows have in common. */
interface Anchor {
  readonly epoch: number
  /** `seq` without its lowest bits. */
  readonly seq: number
  /** `lsn - seq` as 64 bits without the lowest. */
  readonly distance: number
}

/**
 * Positions as eight bytes instead of twenty, exactly. The high bits are kept once, as an anchor: the rows of one stretch
 * of WAL (64 MB, transactions of up to 256 KB) share theirs. Zero: no position. Two words each; anchors are never
 * given up, a million of them is some 64 TB of WAL.
 */
export class PositionCodes {
  readonly #anchors: Anchor[] = []
  readonly #numbers = new Map<string, number>()
  #last = 0

  /** @param anchors what `anchors` told, when codes of an earlier process are to be read */
  constructor(anchors: readonly (readonly [epoch: number, seq: number, distance: number])[] = []) {
    for (const [epoch, seq, distance] of anchors) this.#add({ epoch, seq, distance })
  }

  get anchors(): readonly (readonly [epoch: number, seq: number, distance: number])[] {
    return this.#anchors.map(({ epoch, seq, distance }) => [epoch, seq, distance])
  }

  encode(position: Position | null, out: Uint32Array, at: number): void {
    if (position === null) {
      out[at] = 0
      out[at + 1] = 0
      return
    }
    wholes[0] = position.seq
    wholes[1] = position.lsn
    this.encodeWords(position.epoch, halves[0]!, halves[1]!, halves[2]!, halves[3]!, out, at)
  }

  /** As `encode`, of the unsigned 32-bit halves of `seq` and `lsn`. */
  encodeWords(
    epoch: number,
    seqLow: number,
    seqHigh: number,
    lsnLow: number,
    lsnHigh: number,
    out: Uint32Array,
    at: number,
  ): void {
    const low = (lsnLow - seqLow) >>> 0
    const high = (lsnHigh - seqHigh - (lsnLow < seqLow ? 1 : 0)) >>> 0
    const number = this.#numberOf(
      epoch,
      seqHigh * 2 ** (32 - SEQ_BITS) + (seqLow >>> SEQ_BITS),
      high * 2 ** (32 - DISTANCE_BITS) + (low >>> DISTANCE_BITS),
    )
    const seq = seqLow & (2 ** SEQ_BITS - 1)
    // Anchor (20), seq (26), distance (18), from the highest bit on.
    out[at] = (number << 12) | (seq >>> 14)
    out[at + 1] = (seq << 18) | (low & (2 ** DISTANCE_BITS - 1))
  }

  decode(words: Uint32Array, at: number): Position | null {
    const first = words[at]!
    const second = words[at + 1]!
    if (first >>> 12 === 0) return null
    const anchor = this.#anchors[(first >>> 12) - 1]!
    const seqLow = ((first & 0xfff) << 14) | (second >>> 18)
    const distanceLow = second & (2 ** DISTANCE_BITS - 1)
    const seq = anchor.seq * 2 ** SEQ_BITS + seqLow
    const distance = anchor.distance * 2 ** DISTANCE_BITS + distanceLow
    if (seq + distance <= Number.MAX_SAFE_INTEGER) {
      return { epoch: anchor.epoch, seq: BigInt(seq), lsn: BigInt(seq + distance) }
    }
    const wide = (BigInt(anchor.seq) << BigInt(SEQ_BITS)) | BigInt(seqLow)
    const apart = (BigInt(anchor.distance) << BigInt(DISTANCE_BITS)) | BigInt(distanceLow)
    return { epoch: anchor.epoch, seq: BigInt.asIntN(64, wide), lsn: BigInt.asIntN(64, wide + apart) }
  }

  /** The anchor's number, from 1 on. */
  #numberOf(epoch: number, seq: number, distance: number): number {
    const last = this.#anchors[this.#last - 1]
    if (last !== undefined && last.seq === seq && last.distance === distance && last.epoch === epoch)
      return this.#last
    this.#last = this.#numbers.get(`${epoch} ${seq} ${distance}`) ?? this.#add({ epoch, seq, distance })
    return this.#last
  }

  #add(anchor: Anchor): number {
    const number = this.#anchors.push(anchor)
    assert(number < 2 ** ANCHOR_BITS, 'the positions of a table lie too far apart for its locator')
    this.#numbers.set(`${anchor.epoch} ${anchor.seq} ${anchor.distance}`, number)
    return number
  }
}

/** `seq` and `lsn`, and the same bytes as halves, the low one first: no `bigint` is taken apart. */
const wholes = new BigUint64Array(2)
const halves = new Uint32Array(wholes.buffer)
