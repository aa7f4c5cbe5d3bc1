import type { RawRecord } from '../../core/ports.ts'
import type { Decoded, TableId } from '../change-event.ts'
import type { TableContract } from '../contract.ts'

export interface DecodeOptions {
  /** What was decided about a table: types when schemas are off, key columns. */
  readonly contractFor: (table: TableId) => TableContract
  /** Raised by a person after the source's history broke; part of every position. */
  readonly epoch: number
  /** Debezium's `unavailable.value.placeholder`. */
  readonly unavailablePlaceholder: string
}

/** Decodes the records of one topic. Pure but for its caches: the same records give the same events. */
export interface TopicDecoder {
  /** One record in, exactly one value out; bad data is a value, never an exception. */
  decode(record: RawRecord): Decoded
}
