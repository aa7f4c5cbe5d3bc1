/** Delta's types (PROTOCOL.md "Schema Serialization Format") and the JavaScript values that stand for them. */

export type PrimitiveType =
  | 'boolean'
  | 'byte'
  | 'short'
  | 'integer'
  | 'long'
  | 'float'
  | 'double'
  | 'string'
  | 'binary'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'

export interface DecimalType {
  readonly kind: 'decimal'
  /** 1 to 38 digits. */
  readonly precision: number
  readonly scale: number
}

export interface ArrayType {
  readonly kind: 'array'
  readonly element: DeltaType
  readonly containsNull: boolean
}

export interface MapType {
  readonly kind: 'map'
  readonly key: DeltaType
  readonly value: DeltaType
  readonly valueContainsNull: boolean
}

export interface StructField {
  readonly name: string
  readonly type: DeltaType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface StructType {
  readonly kind: 'struct'
  readonly fields: readonly StructField[]
}

export type DeltaType = PrimitiveType | DecimalType | ArrayType | MapType | StructType

/**
 * The value of one cell, by type:
 * boolean → `boolean` · byte, short, integer → `number` · long → `bigint` · float, double → `number` ·
 * string → `string` (well-formed UTF-16) · binary → `Uint8Array` · date → `number` of days since 1970-01-01 ·
 * timestamp, timestamp_ntz → `bigint` microseconds since 1970-01-01T00:00:00 · decimal → `bigint`, unscaled ·
 * array → array of cells · struct → array of cells in field order · map → array of `[key, value]` pairs.
 */
export type Cell = null | boolean | number | bigint | string | Uint8Array | readonly Cell[]

/** The source did not send this column's value (unchanged TOAST): it is unknown, not null. */
export const UNAVAILABLE: unique symbol = Symbol('unavailable')

/** Cells in the order of the columns they belong to; only whole columns can be unavailable. */
export type Row = readonly (Cell | typeof UNAVAILABLE)[]

export function decimal(precision: number, scale: number): DecimalType {
  return { kind: 'decimal', precision, scale }
}

export function arrayOf(element: DeltaType): ArrayType {
  return { kind: 'array', element, containsNull: true }
}

export function mapOf(key: DeltaType, value: DeltaType): MapType {
  return { kind: 'map', key, value, valueContainsNull: true }
}

export function struct(fields: readonly StructField[]): StructType {
  return { kind: 'struct', fields }
}

/** A nullable field without metadata. */
export function field(name: string, type: DeltaType): StructField {
  return { name, type, nullable: true, metadata: {} }
}
