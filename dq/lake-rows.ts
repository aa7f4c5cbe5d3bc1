import type { ObjectStore } from '../core/ports.ts'
import type { Cell } from '../schemas/delta-types.ts'
import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import { TableReader } from '../writers/table/table-reader.ts'
import { type ComparedTable, readSchema } from './compared-table.ts'

/** Rows decoded at once. */
const ROWS_AT_ONCE = 16_384

/** Lets others have a turn, and ends the work when it is to end. */
export type Step = () => Promise<void>

/** A row of the lake: its compared cells, and the transaction that wrote it. */
export interface LakeRow {
  /** In the order of the compared columns; others may follow. */
  readonly cells: readonly Cell[]
  readonly txid: bigint | null
}

/** Rows of one version of a lake's table. Memory is bounded by what is decoded at once. */
export class LakeRows {
  readonly #table: ComparedTable
  readonly #snapshot: TableSnapshot
  readonly #reader: TableReader
  readonly #step: Step

  constructor(store: ObjectStore, path: string, snapshot: TableSnapshot, table: ComparedTable, step: Step) {
    this.#table = table
    this.#snapshot = snapshot
    this.#reader = new TableReader(store, path)
    this.#step = step
  }

  /** Calls `visit` with the cells of every row that the source has too: not with those that are only marked as deleted. */
  async scan(visit: (cells: readonly Cell[]) => void): Promise<void> {
    const schema = readSchema(this.#table)
    const width = schema.fields.length
    const deletedAt = this.#table.hasSoftDeletes ? width - 1 : -1
    for (const file of this.#snapshot.files.values()) {
      for await (const block of this.#reader.scan(file, schema, ROWS_AT_ONCE)) {
        for (let i = 0; i < block.rowCount; i++) {
          if (block.deleted?.has(block.startRow + i)) continue
          if (deletedAt >= 0 && block.columns[deletedAt]![i] === true) continue
          const cells = new Array<Cell>(width)
          for (let at = 0; at < width; at++) cells[at] = block.columns[at]![i]!
          visit(cells)
        }
        await this.#step()
      }
    }
  }
}
