import { assert } from '../core/assert.ts'
import type { RowImage, RowShape } from './change-event.ts'
import type { Cell, Row, UNAVAILABLE } from './delta-types.ts'
import { PackedBytes, type PackedColumn, packedColumn } from './packed-columns.ts'

/*
 * A block is full at this many rows, cells, or bytes of text. One row that is kept keeps all of its block, and a table
 * that falls silent keeps its last one.
 */
const ROWS_MAX = 256
const CELLS_MAX = 16_384
const BYTES_MAX = 64 * 1024
const ROWS_AT_FIRST = 8

/**
 * Row images of one shape, column by column: what a topic says goes from its bytes into typed arrays and from there
 * into a file, and no object is made for a value on the way.
 */
export class PackedRows {
  readonly shape: RowShape
  readonly columns: readonly PackedColumn[]
  readonly #texts: readonly PackedBytes[]
  readonly #rowsMax: number
  #count = 0
  #capacity: number

  /** @param rowsExpected a wrong guess costs only copying */
  constructor(shape: RowShape, rowsExpected = 0) {
    this.#capacity = Math.max(rowsExpected, ROWS_AT_FIRST)
    this.#rowsMax = Math.min(ROWS_MAX, Math.max(Math.floor(CELLS_MAX / shape.columns.length), ROWS_AT_FIRST))
    this.shape = shape
    this.columns = shape.columns.map(({ type }) => packedColumn(type, this.#capacity))
    this.#texts = this.columns.filter((column) => column instanceof PackedBytes)
  }

  get count(): number {
    return this.#count
  }

  /** Rows go into another block from now on. */
  get isFull(): boolean {
    if (this.#count === this.#rowsMax) return true
    if (this.#count === 0) return false
    let bytes = 0
    for (const text of this.#texts) bytes += text.start(this.#count)
    return bytes >= BYTES_MAX
  }

  /** The number of the next row; each of its columns is to be put. What is not `add`ed is put over by the next one. */
  begin(): number {
    if (this.#count === this.#capacity) {
      this.#capacity *= 2
      for (const column of this.columns) column.grow(this.#capacity)
    }
    return this.#count
  }

  /**
   * The row that was put since `begin`.
   *
   * @param hasGaps a column of it is `UNAVAILABLE`
   */
  add(hasGaps: boolean): PackedRow {
    return new PackedRow(this, this.#count++, hasGaps)
  }
}

/** One row of a block. As `RowImage` it makes its cells when it is asked for them, and keeps them. */
export class PackedRow implements RowImage {
  readonly block: PackedRows
  readonly row: number
  readonly hasGaps: boolean
  #cells: Row | null = null

  constructor(block: PackedRows, row: number, hasGaps: boolean) {
    this.block = block
    this.row = row
    this.hasGaps = hasGaps
  }

  get shape(): RowShape {
    return this.block.shape
  }

  get cells(): Row {
    this.#cells ??= this.block.columns.map((column) => column.cell(this.row))
    return this.#cells
  }
}

/** One cell of an image, without making the others. */
export function cellOf(image: RowImage, column: number): Cell | typeof UNAVAILABLE {
  if (image instanceof PackedRow) return image.block.columns[column]!.cell(image.row)
  return image.cells[column]!
}

/** Whether two packed rows of one shape hold the same values; one that was not sent is the same as no other. */
export function isSamePackedRow(a: PackedRow, b: PackedRow): boolean {
  assert(a.shape === b.shape, 'rows of two shapes are compared column by column')
  const ofA = a.block.columns
  const ofB = b.block.columns
  for (let i = 0; i < ofA.length; i++) if (!ofA[i]!.isSame(a.row, ofB[i]!, b.row)) return false
  return true
}
