/**
 * Every reason a record can be undecodable for. Stable: dead letters are found and counted by them, and a test pins
 * the list. New ones are added at the end of their group.
 */
export const UNDECODABLE_REASONS = [
  // the bytes
  'UNKNOWN_ENCODING',
  'REGISTRY_FRAMED',
  'BAD_UTF8',
  'BAD_JSON',
  'DUPLICATE_MEMBER',
  'TOO_DEEP',
  // the family of the record
  'UNRECOGNISED_SHAPE',
  'UNSUPPORTED_FORMAT',
  'UNSUPPORTED_CONNECTOR',
  // its inline schema
  'BAD_SCHEMA',
  'SCHEMA_MISMATCH',
  // the envelope
  'UNKNOWN_OP',
  'NO_SOURCE',
  'BAD_SOURCE',
  'NO_POSITION',
  'BAD_POSITION',
  'BEFORE_MISSING',
  'AFTER_MISSING',
  'BAD_ROW',
  'EMPTY_COLUMN_NAME',
  'TOO_MANY_COLUMNS',
  // the key
  'BAD_KEY',
  'KEY_MISSING',
  'KEY_NULL',
  'KEY_MISMATCH',
  'KEY_UNTRUSTED',
  // one column's value
  'TYPE_CLASH',
  'BAD_BOOLEAN',
  'BAD_INTEGER',
  'INTEGER_OUT_OF_RANGE',
  'BAD_NUMBER',
  'NUMBER_OUT_OF_RANGE',
  'BAD_DECIMAL',
  'DECIMAL_OUT_OF_RANGE',
  'BAD_TEXT',
  'BAD_BASE64',
  'BAD_BITS',
  'BAD_DATE',
  'BAD_TIME',
  'BAD_TIMESTAMP',
  'TIMESTAMP_OUT_OF_RANGE',
  'BAD_ARRAY',
  'BAD_MAP',
  'BAD_STRUCT',
] as const

export type UndecodableReason = (typeof UNDECODABLE_REASONS)[number]

/**
 * Bad data, as a value: what a decoding step returns in the place of its result.
 *
 * `found` completes the sentence "<what was decoded> …" and never holds the value itself.
 */
export class Fault {
  readonly reason: UndecodableReason
  readonly found: string

  constructor(reason: UndecodableReason, found: string) {
    this.reason = reason
    this.found = found
  }

  /** The same fault, told of a part: `element` of an array, `column "a"` of a row. */
  of(part: string): Fault {
    return new Fault(this.reason, `${part} ${this.found}`)
  }
}
