import { assert } from '../../core/assert.ts'
import type { RowImage, RowShape } from '../../schemas/change-event.ts'
import { type Cell, UNAVAILABLE } from '../../schemas/delta-types.ts'
import { type Widen, widening } from '../../schemas/evolution.ts'
import { cellOf } from '../../schemas/packed-rows.ts'
import type { TableLayout } from './table-layout.ts'

/** How the cells of one shape come to stand in a layout: as the table's types, null where the shape has no such column. */
export class RowMapping {
  /** `from[i]` is the image's cell for column i of the layout; -1: it has none. */
  readonly from: Int32Array
  readonly widen: readonly Widen[]

  constructor(shape: RowShape, { shape: { columns } }: TableLayout) {
    this.from = Int32Array.from(columns, (column) => shape.indexOf.get(column.name) ?? -1)
    this.widen = columns.map((column, i) =>
      this.from[i]! < 0 ? null : widening(shape.columns[this.from[i]!]!.type, column.type),
    )
  }

  /** @param image of the mapping's shape; the caller has filled its gaps */
  cell(image: RowImage, column: number): Cell {
    const from = this.from[column]!
    if (from < 0) return null
    const cell = cellOf(image, from)
    assert(cell !== UNAVAILABLE, 'a gap was left in a row that is to be written')
    const widen = this.widen[column]!
    return widen === null ? cell : widen(cell)
  }
}

/** Fits row images of any shape to the columns of one layout. One mapping a shape, made once. */
export class RowMapper {
  readonly #layout: TableLayout
  readonly #mappings = new Map<RowShape, RowMapping>()
  #latest: { readonly shape: RowShape; readonly mapping: RowMapping } | null = null

  constructor(layout: TableLayout) {
    this.#layout = layout
  }

  mappingOf(shape: RowShape): RowMapping {
    if (this.#latest?.shape === shape) return this.#latest.mapping
    const mapping = this.#mappings.get(shape) ?? new RowMapping(shape, this.#layout)
    this.#mappings.set(shape, mapping)
    this.#latest = { shape, mapping }
    return mapping
  }

  /** The image's cells in layout order. */
  cells(image: RowImage): Cell[] {
    const mapping = this.mappingOf(image.shape)
    const cells = new Array<Cell>(mapping.from.length)
    for (let i = 0; i < cells.length; i++) cells[i] = mapping.cell(image, i)
    return cells
  }
}
