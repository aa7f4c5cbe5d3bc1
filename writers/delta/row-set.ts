import { assert } from '../../core/assert.ts'
import {
  addTo,
  type Container,
  contains,
  copyOf,
  emptyContainer,
  sizeOf,
  unionOf,
  valuesOf,
} from './roaring-container.ts'

/** Rows a set can name: 2^32, far more than a Parquet file has. */
const ROW_LIMIT = 2 ** 32

/** A set of row positions of one data file (from 0, over all row groups): a 32-bit Roaring bitmap. */
export class RowSet {
  readonly #containers = new Map<number, Container>()
  #size = 0

  static of(rows: Iterable<number>): RowSet {
    const set = new RowSet()
    for (const row of rows) set.add(row)
    return set
  }

  /** @param containers by the high 16 bits of their rows, none empty; taken over */
  static fromContainers(containers: Iterable<readonly [key: number, container: Container]>): RowSet {
    const set = new RowSet()
    for (const [key, container] of containers) {
      assert(!set.#containers.has(key) && container.count > 0, 'containers must be distinct and not empty')
      set.#containers.set(key, container)
      set.#size += container.count
    }
    return set
  }

  /** Number of rows. */
  get size(): number {
    return this.#size
  }

  /** Bytes of memory that its rows take, about. */
  get sizeBytes(): number {
    let bytes = 0
    for (const container of this.#containers.values()) bytes += sizeOf(container)
    return bytes
  }

  /** @returns false when the row was in the set already */
  add(row: number): boolean {
    assert(Number.isInteger(row) && row >= 0 && row < ROW_LIMIT, `not a row position: ${row}`)
    const key = Math.floor(row / 65_536)
    const before = this.#containers.get(key) ?? emptyContainer()
    const count = before.count
    const after = addTo(before, row & 0xffff)
    if (after !== before || count === 0) this.#containers.set(key, after)
    this.#size += after.count - count
    return after.count !== count
  }

  has(row: number): boolean {
    const container = this.#containers.get(Math.floor(row / 65_536))
    return container !== undefined && contains(container, row & 0xffff)
  }

  /** A new set with the rows of both. */
  union(other: RowSet): RowSet {
    const containers = new Map<number, Container>()
    for (const [key, container] of this.#containers) {
      const theirs = other.#containers.get(key)
      containers.set(key, theirs === undefined ? copyOf(container) : unionOf(container, theirs))
    }
    for (const [key, container] of other.#containers) {
      if (!containers.has(key)) containers.set(key, copyOf(container))
    }
    return RowSet.fromContainers(containers)
  }

  /** Containers by ascending key: the order of the serialised form. */
  sortedContainers(): readonly (readonly [key: number, container: Container])[] {
    return [...this.#containers].sort(([a], [b]) => a - b)
  }

  /** Rows in ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (const [key, container] of this.sortedContainers()) {
      for (const value of valuesOf(container)) yield key * 65_536 + value
    }
  }
}
