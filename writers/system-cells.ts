import type { Cell } from '../schemas/delta-types.ts'
import type { Position } from '../schemas/position.ts'
import type { TableLayout } from './table/table-layout.ts'

/** Values of our own columns of one row (design §3.1). */
export interface SystemValues {
  readonly position: Position | null
  readonly txId: bigint | null
  readonly sourceTimeUs: bigint | null
  readonly operation?: string
  readonly isDeleted?: boolean
}

/** The system cells of a row, in the layout's order. */
export function systemCells(layout: TableLayout, values: SystemValues): Cell[] {
  return layout.system.map(({ name }) => systemCell(name, values))
}

function systemCell(name: string, values: SystemValues): Cell {
  switch (name) {
    case '_cdc_epoch':
      return values.position?.epoch ?? null
    case '_cdc_seq':
      return values.position?.seq ?? null
    case '_cdc_lsn':
      return values.position?.lsn ?? null
    case '_cdc_txid':
      return values.txId
    case '_cdc_ts':
      return values.sourceTimeUs
    case '_cdc_op':
      return values.operation ?? null
    case '_cdc_deleted':
      return values.isDeleted ?? false
    default:
      return null
  }
}

/** The position that stands in a stored row's system cells `[epoch, seq, lsn]`. */
export function storedPosition(epoch: Cell, seq: Cell, lsn: Cell): Position | null {
  if (epoch === null || seq === null || lsn === null) return null
  return { epoch: epoch as number, seq: seq as bigint, lsn: lsn as bigint }
}
