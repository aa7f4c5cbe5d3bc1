import type { RowImage } from '../schemas/change-event.ts'
import type { Cell } from '../schemas/delta-types.ts'
import type { SystemValues } from './system-cells.ts'
import type { RowMapping } from './table/row-mapper.ts'

/** A row that is to be written: as it was read from the table, all cells of the schema, or as the source told it. */
export type PlannedRow = LaidRow | readonly Cell[]

/**
 * An image, how it is laid into the table's columns, and where our own columns come from. No value is copied before
 * the file is written, and then column by column (`ColumnFiller`).
 */
export class LaidRow {
  /** Without gaps. */
  readonly image: RowImage
  readonly mapping: RowMapping
  readonly system: SystemValues

  constructor(image: RowImage, mapping: RowMapping, system: SystemValues) {
    this.image = image
    this.mapping = mapping
    this.system = system
  }
}

/** The cell of one of the source's columns, by its place in the table's schema. */
export function dataCell(row: PlannedRow, column: number): Cell {
  return row instanceof LaidRow ? row.mapping.cell(row.image, column) : row[column]!
}
