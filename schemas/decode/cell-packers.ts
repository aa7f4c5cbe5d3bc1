import type { ColumnSpec, Wire } from '../column-spec.ts'
import type { DecimalType, DeltaType } from '../delta-types.ts'
import type { PackedBytes, PackedColumn, PackedDoubles, PackedInt32, PackedInt64 } from '../packed-columns.ts'
import { usualBase64Decimal, usualTextDecimal } from './decimal-cells.ts'
import { JSON_ASCII, JSON_ESCAPED, JSON_FALSE, JSON_TRUE, JSON_UTF8, type JsonTape } from './json-tape.ts'
import { type CellDecoder, usualInteger, usualReal } from './number-cells.ts'
import { isInfiniteDate, usualMicros } from './time-cells.ts'
import { Fault } from './undecodable-reasons.ts'

const BACKSLASH = 0x5c

/** Puts the value at a token into a row of a column of its type. Never asked for `null`. */
export type CellPacker = (json: JsonTape, token: number, column: PackedColumn, row: number) => Fault | null

/** Puts a value in the form that nearly all have, without making an object; `false`: it is in another, good or bad. */
type UsualPacker = (json: JsonTape, token: number, column: PackedColumn, row: number) => boolean

/** How values become cells in a column: at once where they look as usual, else as `decode` has it. */
export function cellPacker(spec: ColumnSpec, decode: CellDecoder): CellPacker {
  const packUsual = usualPacker(spec.type, spec.wire) ?? (() => false)
  return (json, token, column, row) => {
    if (packUsual(json, token, column, row)) return null
    const cell = decode(json, token)
    if (cell instanceof Fault) return cell
    if (cell === null) column.putNull(row)
    else column.putCell(row, cell)
    return null
  }
}

function usualPacker(type: DeltaType, wire: Wire): UsualPacker | null {
  if (typeof type !== 'string') return type.kind === 'decimal' ? decimals(type, wire) : null
  switch (type) {
    case 'boolean':
      return packBoolean
    case 'byte':
      return integers(2 ** 7)
    case 'short':
      return integers(2 ** 15)
    case 'integer':
      return integers(2 ** 31)
    case 'long':
      return packLong
    case 'float':
    case 'double':
      return reals(type === 'float')
    case 'date':
      return packDate
    case 'timestamp_ntz':
      return wire.form === 'timestamp' ? timestamps(wire.unit) : null
    case 'timestamp':
      return packZonedTimestamp
    case 'string':
      return wire.form === 'text' ? packText : null
    default:
      return null
  }
}

function packBoolean(json: JsonTape, token: number, column: PackedColumn, row: number): boolean {
  const kind = json.kind(token)
  if (kind !== JSON_TRUE && kind !== JSON_FALSE) return false
  ;(column as PackedInt32).putInteger(row, kind === JSON_TRUE ? 1 : 0)
  return true
}

function integers(limit: number): UsualPacker {
  return (json, token, column, row) => {
    const value = usualInteger(json, token)
    if (!(value >= -limit && value < limit)) return false
    ;(column as PackedInt32).putInteger(row, value)
    return true
  }
}

function packLong(json: JsonTape, token: number, column: PackedColumn, row: number): boolean {
  return putLong(usualInteger(json, token), column, row)
}

/** @param value NaN: not usual */
function putLong(value: number, column: PackedColumn, row: number): boolean {
  if (Number.isNaN(value)) return false
  ;(column as PackedInt64).putInteger(row, value)
  return true
}

function reals(isSingle: boolean): UsualPacker {
  return (json, token, column, row) => {
    const value = usualReal(json, token)
    if (Number.isNaN(value)) return false
    ;(column as PackedDoubles).putReal(row, isSingle ? Math.fround(value) : value)
    return true
  }
}

function packDate(json: JsonTape, token: number, column: PackedColumn, row: number): boolean {
  const days = usualInteger(json, token)
  if (!(days >= -(2 ** 31) && days < 2 ** 31) || isInfiniteDate(days)) return false
  ;(column as PackedInt32).putInteger(row, days)
  return true
}

/** Infinities are beyond what is usual in every unit but nanoseconds, of which a `number` does not hold today's. */
function timestamps(unit: 'ms' | 'us' | 'ns'): UsualPacker | null {
  if (unit === 'ns') return null
  const factor = unit === 'ms' ? 1000 : 1
  const limit = Number.MAX_SAFE_INTEGER / factor
  return (json, token, column, row) => {
    const value = usualInteger(json, token)
    return Math.abs(value) <= limit && putLong(value * factor, column, row)
  }
}

function packZonedTimestamp(json: JsonTape, token: number, column: PackedColumn, row: number): boolean {
  return putLong(usualMicros(json, token), column, row)
}

function packText(json: JsonTape, token: number, column: PackedColumn, row: number): boolean {
  const kind = json.kind(token)
  if (kind === JSON_ESCAPED) return packEscaped(json, token, column as PackedBytes, row)
  if (kind !== JSON_ASCII && kind !== JSON_UTF8) return false
  ;(column as PackedBytes).putBytes(row, json.bytes, json.start(token), json.end(token))
  return true
}

/** What the letter after a backslash stands for; 0: not for one byte. */
const UNESCAPED = Uint8Array.from({ length: 128 }, (_, letter) => {
  const found = '"\\/bfnrt'.indexOf(String.fromCharCode(letter))
  return found < 0 ? 0 : '"\\/\b\f\n\r\t'.charCodeAt(found)
})

/** A text of which no escape is a number. */
function packEscaped(json: JsonTape, token: number, column: PackedBytes, row: number): boolean {
  const { bytes } = json
  const start = json.start(token)
  const end = json.end(token)
  let at = column.beginBytes(row, end - start)
  const { arena } = column
  for (let i = start; i < end; i++) {
    let byte = bytes[i]!
    if (byte === BACKSLASH) {
      byte = UNESCAPED[bytes[++i]!]!
      if (byte === 0) return false
    }
    arena[at++] = byte
  }
  column.endBytes(row, at)
  return true
}

function decimals({ precision, scale }: DecimalType, wire: Wire): UsualPacker | null {
  if (precision > 18) return null
  const limit = Math.min(10 ** precision, Number.MAX_SAFE_INTEGER)
  if (wire.form === 'text') {
    return (json, token, column, row) => {
      const value = usualTextDecimal(json, token, scale)
      return Math.abs(value) < limit && putLong(value, column, row)
    }
  }
  if (wire.form !== 'decimal' || wire.scale !== scale) return null
  return (json, token, column, row) => {
    const value = usualBase64Decimal(json, token)
    return Math.abs(value) < limit && putLong(value, column, row)
  }
}
