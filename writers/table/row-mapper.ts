import { assert } from '../../core/assert.ts'
import type { RowImage, RowShape } from '../../schemas/change-event.ts'
import { type Cell, UNAVAILABLE } from '../../schemas/delta-types.ts'
import { type Widen, widening } from '../../schemas/evolution.ts'
import type { TableLayout } from './table-layout.ts'

/** How the cells of one shape come to stand in a layout: `from[i]` is the cell for column i, -1 for "none: null". */
interface Mapping {
  readonly from: Int32Array
  readonly widen: readonly Widen[]
}

/** Fits row images of any shape to the columns of one layout. One mapping a shape, made once. */
export class RowMapper {
  readonly #layout: TableLayout
  readonly #mappings = new Map<RowShape, Mapping>()

  constructor(layout: TableLayout) {
    this.#layout = layout
  }

  /**
   * The image's cells in layout order, as the table's types; columns that the image does not name are null.
   * The caller has filled all gaps.
   */
  cells(image: RowImage): Cell[] {
    const { from, widen } = this.#mappingOf(image.shape)
    const cells = new Array<Cell>(from.length)
    for (let i = 0; i < from.length; i++) {
      const cell = from[i]! < 0 ? null : image.cells[from[i]!]!
      assert(cell !== UNAVAILABLE, 'a gap was left in a row that is to be written')
      cells[i] = widen[i] ? widen[i]!(cell) : cell
    }
    return cells
  }

  #mappingOf(shape: RowShape): Mapping {
    const known = this.#mappings.get(shape)
    if (known !== undefined) return known
    const columns = this.#layout.shape.columns
    const from = Int32Array.from(columns, (column) => shape.indexOf.get(column.name) ?? -1)
    const widen = columns.map((column, i) =>
      from[i]! < 0 ? null : widening(shape.columns[from[i]!]!.type, column.type),
    )
    const mapping = { from, widen }
    this.#mappings.set(shape, mapping)
    return mapping
  }
}
