import type { TableId } from '../change-event.ts'
import type { TableContract } from '../contract.ts'

/** Debezium's own `unavailable.value.placeholder`: stands where a value that is stored out of line did not change. */
export const UNAVAILABLE_PLACEHOLDER = '__debezium_unavailable_value'

export interface DecodeOptions {
  /** What was decided about a table: types when schemas are off, key columns. Asked once per table. */
  readonly contractFor: (table: TableId) => TableContract
  /** Raised by a person after the source's history broke; part of every position. */
  readonly epoch: number
  /** Debezium's `unavailable.value.placeholder`. */
  readonly unavailablePlaceholder: string
}
