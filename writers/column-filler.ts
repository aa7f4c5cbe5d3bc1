import type { Cell } from '../schemas/delta-types.ts'
import { PackedRow, type PackedRows } from '../schemas/packed-rows.ts'
import { CHANGE_TYPE_TEXTS } from './change-rows.ts'
import type { ColumnSet } from './parquet/column-set.ts'
import type { ColumnNode } from './parquet/column-tree.ts'
import { dataCell, LaidRow, type PlannedRow } from './planned-row.ts'
import { type SystemValues, systemReader } from './system-cells.ts'
import type { RowMapping } from './table/row-mapper.ts'

/** Rows one after another that are packed in one block and laid out in one way; `null`: each stands for itself. */
interface Run {
  readonly block: PackedRows | null
  readonly mapping: RowMapping | null
  readonly start: number
  end: number
}

/** Puts planned rows into the columns of a file, column by column: what is packed goes over as it is. */
export class ColumnFiller {
  readonly columns: ColumnSet
  readonly #fields: readonly number[]

  /** @param fields by column of `columns`: which field of the table's schema it is */
  constructor(columns: ColumnSet, fields: readonly number[]) {
    this.columns = columns
    this.#fields = fields
  }

  /** @param types by row the number of its change type; `null`: the columns have none */
  append(rows: readonly PlannedRow[], types: readonly number[] | null): void {
    const numbers = new Int32Array(rows.length)
    const runs = runsOf(rows, numbers)
    const { fields } = this.columns.schema
    this.columns.appendByColumn(rows.length, (node, i) => {
      const field = this.#fields[i]!
      const read = systemReader(fields[i]!.name)
      if (read !== null) putSystem(rows, field, read, node)
      else if (fields[i]!.name === '_change_type')
        node.writePacked(CHANGE_TYPE_TEXTS, Int32Array.from(types!), 0, rows.length)
      else for (const run of runs) putData(rows, numbers, run, field, node)
    })
  }
}

/** @param numbers is filled: where each packed row stands in its block */
function runsOf(rows: readonly PlannedRow[], numbers: Int32Array): readonly Run[] {
  const runs: Run[] = []
  let run: Run | undefined
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const packed = row instanceof LaidRow && row.image instanceof PackedRow ? row.image : null
    const block = packed === null ? null : packed.block
    const mapping = packed === null ? null : (row as LaidRow).mapping
    if (packed !== null) numbers[i] = packed.row
    if (run !== undefined && run.block === block && run.mapping === mapping) run.end = i + 1
    else {
      run = { block, mapping, start: i, end: i + 1 }
      runs.push(run)
    }
  }
  return runs
}

function putData(
  rows: readonly PlannedRow[],
  numbers: Int32Array,
  { block, mapping, start, end }: Run,
  field: number,
  node: ColumnNode,
): void {
  const from = mapping === null ? -1 : mapping.from[field]!
  if (from >= 0 && mapping!.widen[field] === null)
    node.writePacked(block!.columns[from]!, numbers, start, end)
  else for (let i = start; i < end; i++) node.write(dataCell(rows[i]!, field), 0, 0)
}

function putSystem(
  rows: readonly PlannedRow[],
  field: number,
  read: (values: SystemValues) => Cell,
  node: ColumnNode,
): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    node.write(row instanceof LaidRow ? read(row.system) : row[field]!, 0, 0)
  }
}
