import type { SchemaElement } from 'hyparquet'
import { EngineError } from '../../core/errors.ts'
import type { Cell, DecimalType } from '../../schemas/delta-types.ts'
import type { ByteArrays } from './byte-arrays.ts'
import type { LeafType } from './physical-types.ts'

/**
 * Values as the physical type stores them: `number` for INT32, FLOAT and DOUBLE, `bigint` for INT64 and INT96,
 * `boolean`; byte sequences as `ByteArrays`.
 */
export type StoredValues = ArrayLike<unknown> | ByteArrays

/**
 * Turns the stored value at an index into a cell. The file decides what the stored values are; the resolved schema
 * picked a conversion that takes just that.
 */
export type CellConversion = (values: never, index: number) => Cell

const MICROS_PER_DAY = 86_400_000_000n
const JULIAN_DAY_OF_1970 = 2_440_588n

/**
 * How the values of a file's column become cells of the requested type, exactly: also where an older file holds a
 * narrower type (type widening), another unit of time or another form of decimal.
 *
 * @throws EngineError when the file's type cannot stand for the requested one
 * @see delta-protocol §8, column "also read"
 */
export function cellConversion(element: SchemaElement, type: LeafType): CellConversion {
  const conversion = isUnsigned(element) ? null : conversionOf(element, type)
  if (conversion !== null) return conversion
  const wanted = typeof type === 'string' ? type : `decimal(${type.precision},${type.scale})`
  const annotation = element.logical_type?.type ?? element.converted_type
  const found = annotation === undefined ? element.type : `${element.type} (${annotation})`
  throw new EngineError(
    'E_PARQUET_TYPE',
    'stop-table',
    `the column ${element.name} of a Parquet file is ${found}, which cannot be read as ${wanted}: rewrite the file, or correct the table's schema`,
  )
}

/** Whether what is stored is the value itself: then a column of the same physical type takes its bytes over. */
export function keepsForm(conversion: CellConversion): boolean {
  return conversion === asIs || conversion === bigintOfNumber || conversion === text || conversion === bytes
}

function conversionOf(element: SchemaElement, type: LeafType): CellConversion | null {
  const stored = element.type
  if (typeof type !== 'string') return decimalConversion(element, type)
  switch (type) {
    case 'boolean':
      return stored === 'BOOLEAN' ? asIs : null
    case 'byte':
    case 'short':
    case 'integer':
      return stored === 'INT32' && isPlainInteger(element) ? asIs : null
    case 'long':
      if (!isPlainInteger(element)) return null
      return stored === 'INT64' ? asIs : stored === 'INT32' ? bigintOfNumber : null
    case 'float':
      return stored === 'FLOAT' ? asIs : null
    case 'double':
      return stored === 'DOUBLE' || stored === 'FLOAT' || (stored === 'INT32' && isPlainInteger(element))
        ? asIs
        : null
    case 'string':
      return stored === 'BYTE_ARRAY' && !isDecimal(element) ? text : null
    case 'binary':
      return stored === 'BYTE_ARRAY' || stored === 'FIXED_LEN_BYTE_ARRAY' ? bytes : null
    case 'date':
      return stored === 'INT32' && (isDate(element) || isPlainInteger(element)) ? asIs : null
    case 'timestamp':
    case 'timestamp_ntz':
      return timestampConversion(element)
  }
}

function timestampConversion(element: SchemaElement): CellConversion | null {
  if (element.type === 'INT96') return microsOfInt96
  if (element.type === 'INT32' && isDate(element)) return microsOfDays
  if (element.type !== 'INT64') return null
  const logical = element.logical_type
  const unit = logical?.type === 'TIMESTAMP' ? logical.unit : element.converted_type
  switch (unit) {
    case 'MICROS':
    case 'TIMESTAMP_MICROS':
      return asIs
    case 'MILLIS':
    case 'TIMESTAMP_MILLIS':
      return microsOfMillis
    case 'NANOS':
      return microsOfNanos
    default:
      return null
  }
}

function decimalConversion(element: SchemaElement, type: DecimalType): CellConversion | null {
  const unscaled = unscaledConversion(element)
  if (unscaled === null || (!isDecimal(element) && !isPlainInteger(element))) return null
  const logical = element.logical_type
  const scale = (logical?.type === 'DECIMAL' ? logical.scale : element.scale) ?? 0
  if (scale === type.scale) return unscaled
  const factor = 10n ** BigInt(Math.abs(type.scale - scale))
  if (scale < type.scale) return (values, index) => unscaled(values, index) * factor
  return (values, index) => {
    const value = unscaled(values, index)
    if (value % factor === 0n) return value / factor
    throw new EngineError(
      'E_PARQUET_TYPE',
      'stop-table',
      `the column ${element.name} of a Parquet file holds decimals of scale ${scale} that do not fit scale ${type.scale}: correct the table's schema`,
    )
  }
}

function unscaledConversion(element: SchemaElement): ((values: never, index: number) => bigint) | null {
  switch (element.type) {
    case 'INT32':
      return bigintOfNumber
    case 'INT64':
      return asIs
    case 'BYTE_ARRAY':
    case 'FIXED_LEN_BYTE_ARRAY':
      return isDecimal(element) ? bigintOfBytes : null
    default:
      return null
  }
}

function isDecimal(element: SchemaElement): boolean {
  return element.logical_type?.type === 'DECIMAL' || element.converted_type === 'DECIMAL'
}

function isDate(element: SchemaElement): boolean {
  return element.logical_type?.type === 'DATE' || element.converted_type === 'DATE'
}

/** No annotation, or one that says no more than "integer". */
function isPlainInteger({ logical_type, converted_type }: SchemaElement): boolean {
  if (logical_type !== undefined) return logical_type.type === 'INTEGER'
  return converted_type === undefined || converted_type.startsWith('INT_')
}

/** Delta has no unsigned types, and reading one as signed would be wrong for half of its values. */
function isUnsigned({ logical_type, converted_type }: SchemaElement): boolean {
  if (logical_type?.type === 'INTEGER') return !logical_type.isSigned
  return converted_type?.startsWith('UINT_') ?? false
}

function asIs<T>(values: ArrayLike<T>, index: number): T {
  return values[index]!
}

function bigintOfNumber(values: ArrayLike<number>, index: number): bigint {
  return BigInt(values[index]!)
}

function text(values: ByteArrays, index: number): string {
  return values.textAt(index)
}

function bytes(values: ByteArrays, index: number): Uint8Array {
  return values.bytesAt(index)
}

function bigintOfBytes(values: ByteArrays, index: number): bigint {
  return values.bigintAt(index)
}

function microsOfDays(values: ArrayLike<number>, index: number): bigint {
  return BigInt(values[index]!) * MICROS_PER_DAY
}

function microsOfMillis(values: ArrayLike<bigint>, index: number): bigint {
  return values[index]! * 1000n
}

/** Rounds towards the past, also before 1970. */
function microsOfNanos(values: ArrayLike<bigint>, index: number): bigint {
  const nanos = values[index]!
  return (nanos - (((nanos % 1000n) + 1000n) % 1000n)) / 1000n
}

/** Julian day in the upper 32 bits, nanoseconds of that day in the lower 64: never as nanoseconds since 1970. */
function microsOfInt96(values: ArrayLike<bigint>, index: number): bigint {
  const stored = values[index]!
  const day = (stored >> 64n) - JULIAN_DAY_OF_1970
  return day * MICROS_PER_DAY + BigInt.asUintN(64, stored) / 1000n
}
