import type { DecimalType, DeltaType, PrimitiveType } from '../../schemas/delta-types.ts'
import type { PhysicalType } from './parquet-format.ts'

/** A Delta type that is one Parquet column. */
export type LeafType = PrimitiveType | DecimalType

export function isLeafType(type: DeltaType): type is LeafType {
  return typeof type === 'string' || type.kind === 'decimal'
}

const PHYSICAL: Readonly<Record<PrimitiveType, PhysicalType>> = {
  boolean: 'BOOLEAN',
  byte: 'INT32',
  short: 'INT32',
  integer: 'INT32',
  long: 'INT64',
  float: 'FLOAT',
  double: 'DOUBLE',
  string: 'BYTE_ARRAY',
  binary: 'BYTE_ARRAY',
  date: 'INT32',
  timestamp: 'INT64',
  timestamp_ntz: 'INT64',
}

/** How a leaf is stored. @see delta-protocol §8 */
export function physicalTypeOf(type: LeafType): PhysicalType {
  if (typeof type === 'string') return PHYSICAL[type]
  if (type.precision <= 9) return 'INT32'
  return type.precision <= 18 ? 'INT64' : 'FIXED_LEN_BYTE_ARRAY'
}

/** Fewest bytes whose two's complement holds every number of `precision` decimal digits: 38 → 16. */
export function decimalByteLength(precision: number): number {
  return Math.ceil((precision * Math.log2(10) + 1) / 8)
}
