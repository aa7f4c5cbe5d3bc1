const LANE_DIGITS = 16

/**
 * Rows by bucket: how many, and the sums of both halves of their hashes, modulo 2^64. Sums have no order, can be added
 * and taken away, and unlike XOR do not lose what is there twice.
 *
 * A bucket is the first hex digits of the hash of a key, so that keys of every type spread evenly.
 */
export class BucketSums {
  readonly digits: number
  readonly #counts: Float64Array
  readonly #sums: BigUint64Array

  /** @param digits 3 make 4,096 buckets, 5 a million */
  constructor(digits: number) {
    this.digits = digits
    this.#counts = new Float64Array(16 ** digits)
    this.#sums = new BigUint64Array(2 * 16 ** digits)
  }

  add(keyHash: string, rowHash: string): void {
    const bucket = Number.parseInt(keyHash.slice(0, this.digits), 16)
    this.#counts[bucket]!++
    this.#sums[2 * bucket]! += lane(rowHash, 0)
    this.#sums[2 * bucket + 1]! += lane(rowHash, LANE_DIGITS)
  }

  remove(keyHash: string, rowHash: string): void {
    const bucket = Number.parseInt(keyHash.slice(0, this.digits), 16)
    this.#counts[bucket]!--
    this.#sums[2 * bucket]! -= lane(rowHash, 0)
    this.#sums[2 * bucket + 1]! -= lane(rowHash, LANE_DIGITS)
  }

  /** What somebody else has summed up. @param prefix the bucket, in hex */
  addSums(prefix: string, count: number, high: bigint, low: bigint): void {
    const bucket = Number.parseInt(prefix, 16)
    this.#counts[bucket]! += count
    this.#sums[2 * bucket]! += BigInt.asUintN(64, high)
    this.#sums[2 * bucket + 1]! += BigInt.asUintN(64, low)
  }

  get rowCount(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** Buckets that are not the same in `other`, with the rows that the fuller of the two has. */
  unequalTo(other: BucketSums): readonly { readonly prefix: string; readonly rows: number }[] {
    const unequal: { prefix: string; rows: number }[] = []
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      const isEqual =
        this.#counts[bucket] === other.#counts[bucket] &&
        this.#sums[2 * bucket] === other.#sums[2 * bucket] &&
        this.#sums[2 * bucket + 1] === other.#sums[2 * bucket + 1]
      if (isEqual) continue
      const prefix = bucket.toString(16).padStart(this.digits, '0')
      unequal.push({ prefix, rows: Math.max(this.#counts[bucket]!, other.#counts[bucket]!) })
    }
    return unequal
  }
}

function lane(rowHash: string, from: number): bigint {
  return BigInt(`0x${rowHash.slice(from, from + LANE_DIGITS)}`)
}
