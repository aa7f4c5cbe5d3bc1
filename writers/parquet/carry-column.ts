import type { LeafColumn } from './column-tree.ts'
import type { DecodedPage } from './decode-pages.ts'
import { nextPage, type StoredColumn } from './stored-column.ts'

/** Takes rows of a column over from a file that is read into one that is written; no cell is made of a value. */
export class ColumnCarrier {
  /** `null`: the file does not have the column. */
  readonly #column: StoredColumn | null
  #page: DecodedPage | null = null
  /** Where the next row stands in the page, and its value, if it has one. */
  #entry = 0
  #value = 0

  constructor(column: StoredColumn | null) {
    this.#column = column
  }

  /**
   * Goes over the next rows of the column.
   *
   * @param live which of them are taken over: their numbers, from 0, ascending
   */
  carry(rowCount: number, live: Int32Array, into: LeafColumn): void {
    if (this.#column === null) {
      for (let i = 0; i < live.length; i++) into.write(null, 0, 0)
      return
    }
    const { leaf, pages } = this.#column
    let next = 0
    for (let row = 0; row < rowCount; ) {
      if (this.#page === null || this.#entry === this.#page.entryCount) this.#turnTo(nextPage(pages))
      const { entryCount, values } = this.#page!
      const count = Math.min(rowCount - row, entryCount - this.#entry)
      const from = next
      while (next < live.length && live[next]! < row + count) next++
      const places = this.#pass(count, live.subarray(from, next), row)
      if (places.length > 0) into.writeStored(values, places, leaf.conversion!)
      row += count
    }
  }

  #turnTo(page: DecodedPage): void {
    this.#page = page
    this.#entry = 0
    this.#value = 0
  }

  /**
   * Goes over the next rows of the page.
   *
   * @param firstRow the number of the first of them
   * @returns where the values of those that are live stand; -1: a row has none
   */
  #pass(count: number, live: Int32Array, firstRow: number): Int32Array {
    const { defs, codes } = this.#page!
    const places =
      defs === null ? this.#denseRows(live, firstRow) : this.#sparseRows(defs, count, live, firstRow)
    this.#entry += count
    if (defs === null) this.#value += count
    if (codes !== null) {
      for (let i = 0; i < places.length; i++) if (places[i]! >= 0) places[i] = codes[places[i]!]!
    }
    return places
  }

  #denseRows(live: Int32Array, firstRow: number): Int32Array {
    const places = new Int32Array(live.length)
    const shift = this.#value - firstRow
    for (let i = 0; i < live.length; i++) places[i] = live[i]! + shift
    return places
  }

  #sparseRows(defs: Uint8Array, count: number, live: Int32Array, firstRow: number): Int32Array {
    const places = new Int32Array(live.length)
    const { maxDef } = this.#column!.leaf
    const entry = this.#entry
    let value = this.#value
    for (let i = 0, next = 0; i < count; i++) {
      const hasValue = defs[entry + i] === maxDef
      if (live[next] === firstRow + i) places[next++] = hasValue ? value : -1
      if (hasValue) value++
    }
    this.#value = value
    return places
  }
}
