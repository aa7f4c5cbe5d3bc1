import { PackedBytes } from '../schemas/packed-columns.ts'
import type { PlannedRow } from './planned-row.ts'

/** Change feed rows by their `_change_type` (PROTOCOL.md "Change Data Files"). */
export type ChangeType = 'insert' | 'update_preimage' | 'update_postimage' | 'delete'

const CHANGE_TYPES: readonly ChangeType[] = ['insert', 'update_preimage', 'update_postimage', 'delete']

/** The texts of all change types, by their number. */
export const CHANGE_TYPE_TEXTS: PackedBytes = textsOf(CHANGE_TYPES)

/** Rows of a change feed, in its order. */
export class ChangeRows {
  readonly rows: PlannedRow[] = []
  /** By row the number of its change type. */
  readonly types: number[] = []

  add(type: ChangeType, row: PlannedRow): void {
    this.types.push(CHANGE_TYPES.indexOf(type))
    this.rows.push(row)
  }
}

function textsOf(types: readonly ChangeType[]): PackedBytes {
  const texts = new PackedBytes(types.length, true)
  types.forEach((type, i) => {
    texts.putCell(i, type)
  })
  return texts
}
