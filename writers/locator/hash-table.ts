import { assert } from '../../core/assert.ts'
import { HASH_WORDS } from './key-encoding.ts'

const PARTS = 64
const PART_SHIFT = 26 // the top 6 bits of the first word choose the part
const FIRST_CAPACITY = 16
const MAX_LOAD = 0.7

/** Where one row stands: the ordinal of its file and the row's number in it, from 0, deleted rows counted. */
export interface Place {
  readonly file: number
  readonly row: number
}

export function isSamePlace(a: Place, b: Place): boolean {
  return a.file === b.file && a.row === b.row
}

/**
 * 128-bit hash → place and position, open addressing, in parts that grow one at a time, so that no insert waits for
 * the whole table to be copied. 44 bytes a slot, nothing per entry on the heap.
 *
 * Slots are numbered over all parts (`part * 2^26 + slot`); a number holds until the next `put` or `delete`.
 */
export class HashTable {
  /** Made when their first entry comes: most batches have few keys. */
  readonly #parts: (Part | undefined)[] = new Array(PARTS)

  get size(): number {
    let size = 0
    for (const part of this.#parts) size += part?.size ?? 0
    return size
  }

  /** Bytes held, free slots included. */
  get sizeBytes(): number {
    let bytes = 0
    for (const part of this.#parts) bytes += (part?.capacity ?? 0) * BYTES_PER_SLOT
    return bytes
  }

  /** @returns the slot of the hash at `words[at .. at + 4)`, or -1 */
  find(words: Uint32Array, at: number): number {
    const index = words[at]! >>> PART_SHIFT
    const slot = this.#parts[index]?.find(words, at) ?? -1
    return slot < 0 ? -1 : index * 2 ** PART_SHIFT + slot
  }

  /** Inserts or overwrites. `epoch` -1: the row has no position. */
  put(words: Uint32Array, at: number, place: Place, epoch: number, seq: bigint, lsn: bigint): void {
    const index = words[at]! >>> PART_SHIFT
    this.#parts[index] ??= new Part(FIRST_CAPACITY)
    this.#parts[index].put(words, at, place, epoch, seq, lsn)
  }

  /** The row of a slot in use stands elsewhere now. */
  setPlace(slot: number, place: Place): void {
    const part = this.#part(slot)
    part.files[slotIn(slot)] = place.file
    part.rows[slotIn(slot)] = place.row
  }

  /** @returns whether the hash was there */
  delete(words: Uint32Array, at: number): boolean {
    return this.#parts[words[at]! >>> PART_SHIFT]?.delete(words, at) ?? false
  }

  file(slot: number): number {
    return this.#part(slot).files[slotIn(slot)]!
  }
  row(slot: number): number {
    return this.#part(slot).rows[slotIn(slot)]!
  }
  epoch(slot: number): number {
    return this.#part(slot).epochs[slotIn(slot)]!
  }
  seq(slot: number): bigint {
    return this.#part(slot).seqs[slotIn(slot)]!
  }
  lsn(slot: number): bigint {
    return this.#part(slot).lsns[slotIn(slot)]!
  }
  /** Copies the hash of a slot into `out[at .. at + 4)`. */
  copyHash(slot: number, out: Uint32Array, at: number): void {
    const part = this.#part(slot)
    const from = slotIn(slot) * HASH_WORDS
    for (let i = 0; i < HASH_WORDS; i++) out[at + i] = part.hashes[from + i]!
  }

  /** All slots in use, in no order. The table must not change meanwhile. */
  *slots(): Generator<number> {
    for (let index = 0; index < PARTS; index++) {
      const part = this.#parts[index]
      if (part === undefined) continue
      for (let slot = 0; slot < part.capacity; slot++) {
        if (part.files[slot]! >= 0) yield index * 2 ** PART_SHIFT + slot
      }
    }
  }

  #part(slot: number): Part {
    return this.#parts[Math.floor(slot / 2 ** PART_SHIFT)]!
  }
}

const BYTES_PER_SLOT = 4 * HASH_WORDS + 3 * 4 + 2 * 8

function slotIn(slot: number): number {
  return slot & (2 ** PART_SHIFT - 1)
}

/** One open-addressing table with linear probing; deletion shifts back, so there are no graves to clean. */
class Part {
  capacity: number
  size = 0
  hashes: Uint32Array
  /** -1: the slot is free. */
  files: Int32Array
  rows: Int32Array
  epochs: Int32Array
  seqs: BigInt64Array
  lsns: BigInt64Array

  constructor(capacity: number) {
    this.capacity = capacity
    this.hashes = new Uint32Array(capacity * HASH_WORDS)
    this.files = new Int32Array(capacity).fill(-1)
    this.rows = new Int32Array(capacity)
    this.epochs = new Int32Array(capacity)
    this.seqs = new BigInt64Array(capacity)
    this.lsns = new BigInt64Array(capacity)
  }

  find(words: Uint32Array, at: number): number {
    const slot = this.#probe(words, at)
    return this.files[slot]! < 0 ? -1 : slot
  }

  put(words: Uint32Array, at: number, place: Place, epoch: number, seq: bigint, lsn: bigint): void {
    let slot = this.#probe(words, at)
    if (this.files[slot]! < 0) {
      if (this.size + 1 > this.capacity * MAX_LOAD) {
        this.#grow()
        slot = this.#probe(words, at)
      }
      this.size++
      for (let i = 0; i < HASH_WORDS; i++) this.hashes[slot * HASH_WORDS + i] = words[at + i]!
    }
    this.files[slot] = place.file
    this.rows[slot] = place.row
    this.epochs[slot] = epoch
    this.seqs[slot] = seq
    this.lsns[slot] = lsn
  }

  delete(words: Uint32Array, at: number): boolean {
    let hole = this.#probe(words, at)
    if (this.files[hole]! < 0) return false
    const mask = this.capacity - 1
    let next = (hole + 1) & mask
    while (this.files[next]! >= 0) {
      // An entry may move back into the hole unless its home lies between the hole and itself.
      const home = this.hashes[next * HASH_WORDS + 1]! & mask
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        this.#move(next, hole)
        hole = next
      }
      next = (next + 1) & mask
    }
    this.files[hole] = -1
    this.size--
    return true
  }

  /** The slot that holds the hash, or the free one where it would go. */
  #probe(words: Uint32Array, at: number): number {
    const mask = this.capacity - 1
    const hashes = this.hashes
    let slot = words[at + 1]! & mask
    while (this.files[slot]! >= 0) {
      const from = slot * HASH_WORDS
      if (
        hashes[from] === words[at] &&
        hashes[from + 1] === words[at + 1] &&
        hashes[from + 2] === words[at + 2] &&
        hashes[from + 3] === words[at + 3]
      ) {
        return slot
      }
      slot = (slot + 1) & mask
    }
    return slot
  }

  #move(from: number, to: number): void {
    for (let i = 0; i < HASH_WORDS; i++)
      this.hashes[to * HASH_WORDS + i] = this.hashes[from * HASH_WORDS + i]!
    this.files[to] = this.files[from]!
    this.rows[to] = this.rows[from]!
    this.epochs[to] = this.epochs[from]!
    this.seqs[to] = this.seqs[from]!
    this.lsns[to] = this.lsns[from]!
  }

  #grow(): void {
    assert(this.capacity < 2 ** PART_SHIFT, 'the locator has reached its greatest size')
    const old = { ...this }
    const grown = new Part(this.capacity * 2)
    Object.assign(this, grown)
    const words = old.hashes
    for (let slot = 0; slot < old.capacity; slot++) {
      if (old.files[slot]! < 0) continue
      const place = { file: old.files[slot]!, row: old.rows[slot]! }
      this.put(words, slot * HASH_WORDS, place, old.epochs[slot]!, old.seqs[slot]!, old.lsns[slot]!)
    }
  }
}
