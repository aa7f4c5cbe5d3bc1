import { assert } from '../../core/assert.ts'
import type { Cell, StructType } from '../../schemas/delta-types.ts'
import { type ColumnNode, columnNodes, type LeafColumn } from './column-tree.ts'

/**
 * Rows on their way into a Parquet file, kept as columns: typed arrays, no object a row. Grows as needed and is never
 * emptied; encode it and let it go.
 */
export class ColumnSet {
  readonly schema: StructType
  /** Parquet columns in the order of the file. */
  readonly leaves: readonly LeafColumn[]
  /** One node a top-level field, in field order. */
  readonly nodes: readonly ColumnNode[]
  private rows = 0

  /** @param capacityHint rows expected; a wrong guess costs only copying */
  constructor(schema: StructType, capacityHint = 0) {
    const leaves: LeafColumn[] = []
    this.schema = schema
    this.nodes = columnNodes(schema.fields, capacityHint, leaves)
    this.leaves = leaves
  }

  get rowCount(): number {
    return this.rows
  }

  /** Bytes the rows take here, close to what the file takes before compression. */
  get sizeBytesEstimate(): number {
    let sizeBytes = 0
    for (const leaf of this.leaves) sizeBytes += leaf.sizeBytes
    return sizeBytes
  }

  /**
   * Adds a row.
   *
   * @param cells canonical cells (see `Cell`) in field order; `null` is null
   * @throws AssertionError when a cell is not of its column's type or a null stands where none may: a caller's bug, and
   * the set is then of no more use
   */
  append(cells: readonly Cell[]): void {
    const nodes = this.nodes
    assert(cells.length === nodes.length, 'a row has another number of cells than the schema has fields')
    for (let i = 0; i < nodes.length; i++) nodes[i]!.write(cells[i]!, 0, 0)
    this.rows++
  }

  /**
   * Adds rows column by column.
   *
   * @param put writes a cell for every row into the node of one field
   */
  appendByColumn(rowCount: number, put: (node: ColumnNode, field: number) => void): void {
    this.nodes.forEach(put)
    this.rows += rowCount
  }

  /**
   * Adds some rows of cells that stand in columns.
   *
   * @param columns in field order
   * @param rows which rows of them, in the order in which they are added
   * @throws AssertionError as `append`
   */
  appendColumns(columns: readonly (readonly Cell[])[], rows: ArrayLike<number>): void {
    const nodes = this.nodes
    assert(columns.length === nodes.length, 'there is another number of columns than the schema has fields')
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!
      const cells = columns[i]!
      for (let at = 0; at < rows.length; at++) node.write(cells[rows[at]!]!, 0, 0)
    }
    this.rows += rows.length
  }
}
