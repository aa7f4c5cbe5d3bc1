import type { DeltaType } from './delta-types.ts'

export type TimeUnit = 'ms' | 'us' | 'ns'

/**
 * How a value is written in JSON (formats.md §7, column "JSON wire"). Dates and times take a number or ISO text: which
 * one it is shows in the token.
 */
export type Wire =
  | { readonly form: 'boolean' }
  | { readonly form: 'integer' }
  /** A number, or `"NaN"`, `"Infinity"`, `"-Infinity"`. */
  | { readonly form: 'real' }
  | { readonly form: 'text' }
  /** Bytes. */
  | { readonly form: 'base64' }
  /** Unscaled big-endian two's complement in base64; `numberAllowed`: or the number itself (`decimal.format=NUMERIC`). */
  | { readonly form: 'decimal'; readonly scale: number; readonly numberAllowed: boolean }
  /** `{"scale":3,"value":"ALxhTg=="}`. */
  | { readonly form: 'variable-decimal' }
  /** Little-endian bytes in base64; `length` `null`: not known, leading zero bits are lost. */
  | { readonly form: 'bits'; readonly length: number | null }
  /** Days since 1970-01-01. */
  | { readonly form: 'date' }
  | { readonly form: 'time'; readonly unit: TimeUnit }
  | { readonly form: 'timestamp'; readonly unit: TimeUnit }
  /** ISO text with a zone. */
  | { readonly form: 'zoned-timestamp' }
  /** An object that may have more members than those that are kept. */
  | { readonly form: 'struct'; readonly fields: readonly WireField[]; readonly isOpen: boolean }
  | { readonly form: 'array'; readonly element: Wire }
  /** An object when the keys are text, else an array of `[key, value]`. */
  | { readonly form: 'map'; readonly key: Wire; readonly value: Wire }

export interface WireField {
  readonly name: string
  readonly wire: Wire
}

/** What a column is in the table, and how its values are written on the topic. */
export interface ColumnSpec {
  readonly type: DeltaType
  readonly wire: Wire
  /**
   * The connector's settings decide how this type is delivered (`interval`, `hstore`): an event that tells it is
   * believed before the contract.
   */
  readonly followsEvent?: boolean
}

/** Postgres allows negative scales and scales above the precision, Delta does not. `null`: more than 38 digits. */
export function fittingDecimal(
  precision: number,
  scale: number,
): { precision: number; scale: number } | null {
  const fitted =
    scale < 0 ? { precision: precision - scale, scale: 0 } : { precision: Math.max(precision, scale), scale }
  return fitted.precision > 38 ? null : fitted
}
