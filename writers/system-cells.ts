import type { Cell } from '../schemas/delta-types.ts'
import type { Position } from '../schemas/position.ts'

/** Values of our own columns of one row (design §3.1). An event is such values, and so is what the locator knows. */
export interface SystemValues {
  readonly position: Position | null
  readonly txId?: bigint | null
  readonly sourceTimeUs?: bigint | null
  readonly op?: string
  readonly isDeleted?: boolean
}

const READERS: ReadonlyMap<string, (values: SystemValues) => Cell> = new Map([
  ['_cdc_epoch', ({ position }: SystemValues): Cell => (position === null ? null : position.epoch)],
  ['_cdc_seq', ({ position }: SystemValues): Cell => (position === null ? null : position.seq)],
  ['_cdc_lsn', ({ position }: SystemValues): Cell => (position === null ? null : position.lsn)],
  ['_cdc_txid', ({ txId }: SystemValues): Cell => txId ?? null],
  ['_cdc_ts', ({ sourceTimeUs }: SystemValues): Cell => sourceTimeUs ?? null],
  ['_cdc_op', ({ op }: SystemValues): Cell => op ?? null],
  ['_cdc_deleted', ({ isDeleted }: SystemValues): Cell => isDeleted ?? false],
])

/** How a column of ours is read from the values of a row. @returns `null` for a column of the source */
export function systemReader(name: string): ((values: SystemValues) => Cell) | null {
  return READERS.get(name) ?? null
}

/** The position that stands in a stored row's system cells `[epoch, seq, lsn]`. */
export function storedPosition(epoch: Cell, seq: Cell, lsn: Cell): Position | null {
  if (epoch === null || seq === null || lsn === null) return null
  return { epoch: epoch as number, seq: seq as bigint, lsn: lsn as bigint }
}
