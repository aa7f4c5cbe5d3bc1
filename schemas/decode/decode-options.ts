import type { TableId } from '../change-event.ts'
import type { TableContract } from '../contract.ts'

export interface DecodeOptions {
  /** What was decided about a table: types when schemas are off, key columns. Asked once per table. */
  readonly contractFor: (table: TableId) => TableContract
  /** Raised by a person after the source's history broke; part of every position. */
  readonly epoch: number
  /** Debezium's `unavailable.value.placeholder`. */
  readonly unavailablePlaceholder: string
}
