import { epochMicros, MICROS_PER_DAY, timeOfDayText } from '../../schemas/civil-time.ts'
import { Fault } from '../../schemas/decode/undecodable-reasons.ts'
import type { Cell } from '../../schemas/delta-types.ts'
import {
  PACKED_VALUE,
  type PackedBytes,
  type PackedColumn,
  type PackedDoubles,
  type PackedInt32,
  type PackedInt64,
} from '../../schemas/packed-columns.ts'
import { daysFromCivil } from '../../schemas/time-text.ts'
import { readInt16, readInt32, readMicros } from './big-endian.ts'

/** The value of one field of `COPY … (FORMAT binary)`, `[start, end)` of `bytes`, as the stream would have told it. */
export type ReadField = (bytes: Buffer, start: number, end: number) => Cell | Fault

/** The same, put into a row of a column. */
export type PutField = (
  bytes: Buffer,
  start: number,
  end: number,
  column: PackedColumn,
  row: number,
) => Fault | null

/** How fields of one binary form are read. */
export interface FieldForm {
  readonly read: ReadField
  readonly put: PutField
}

/** Postgres counts from 2000-01-01. */
const DAYS_BEFORE = daysFromCivil(2000, 1, 1)
const MICROS_BEFORE = DAYS_BEFORE * MICROS_PER_DAY
const MICROS_BEFORE_LOW = MICROS_BEFORE % 0x1_0000_0000
const MICROS_BEFORE_HIGH = Math.floor(MICROS_BEFORE / 0x1_0000_0000)

const INT32_MAX = 0x7fff_ffff
const INT32_MIN = -0x8000_0000

/* Infinities are what the decoder of the stream makes of them (`schemas/decode/time-cells.ts`). */
const LAST_DAY = daysFromCivil(9999, 12, 31)
const FIRST_DAY = daysFromCivil(1, 1, 1)
const LAST_MICROS = epochMicros(LAST_DAY, MICROS_PER_DAY - 1)
const FIRST_MICROS = epochMicros(FIRST_DAY, 0)

const TOO_FAR = new Fault('TIMESTAMP_OUT_OF_RANGE', 'is beyond int64 microseconds')
const NESTED = new Fault('BAD_ARRAY', 'is an array of more than one dimension')

export const BOOLEAN: FieldForm = {
  read: (bytes, start) => bytes[start] === 1,
  put: (bytes, start, _, column, row) => putInt32(column, row, bytes[start]!),
}

export const INT16: FieldForm = {
  read: readInt16,
  put: (bytes, start, _, column, row) => putInt32(column, row, readInt16(bytes, start)),
}

export const INT32: FieldForm = {
  read: readInt32,
  put: (bytes, start, _, column, row) => putInt32(column, row, readInt32(bytes, start)),
}

export const INT64: FieldForm = {
  read: (bytes, start) => bytes.readBigInt64BE(start),
  put: (bytes, start, _, column, row) =>
    putWords(column, row, readInt32(bytes, start + 4), readInt32(bytes, start)),
}

export const FLOAT32: FieldForm = {
  read: (bytes, start) => bytes.readFloatBE(start),
  put: (bytes, start, _, column, row) => putReal(column, row, bytes.readFloatBE(start)),
}

export const FLOAT64: FieldForm = {
  read: (bytes, start) => bytes.readDoubleBE(start),
  put: (bytes, start, _, column, row) => putReal(column, row, bytes.readDoubleBE(start)),
}

/** UTF-8. */
export const TEXT: FieldForm = {
  read: (bytes, start, end) => bytes.toString('utf8', start, end),
  put: putBytes,
}

export const BYTES: FieldForm = {
  read: (bytes, start, end) => new Uint8Array(bytes.subarray(start, end)),
  put: putBytes,
}

export const DATE: FieldForm = {
  read: readDays,
  put: (bytes, start, _, column, row) => putInt32(column, row, readDays(bytes, start)),
}

export const TIMESTAMP: FieldForm = {
  read: (bytes, start) => timestampCell(readInt32(bytes, start), readInt32(bytes, start + 4)),
  put: (bytes, start, _, column, row) => {
    const high = readInt32(bytes, start)
    const low = readInt32(bytes, start + 4)
    // The ends of the range are infinities, and beyond its middle the sum may not fit.
    if (high >= INT32_MAX >> 1 || high === INT32_MIN) return putCell(timestampCell(high, low), column, row)
    const sum = (low >>> 0) + MICROS_BEFORE_LOW
    return putWords(column, row, sum, high + MICROS_BEFORE_HIGH + (sum > 0xffff_ffff ? 1 : 0))
  },
}

/** `13:14:15.123456`. */
export const TIME: FieldForm = asCell((bytes, start) => timeOfDayText(readMicros(bytes, start)))

export const UUID: FieldForm = {
  read: (bytes, start) => {
    putUuid(bytes, start)
    return UUID_TEXT.toString('latin1')
  },
  put: (bytes, start, _, column, row) => {
    putUuid(bytes, start)
    return putBytes(UUID_TEXT, 0, UUID_TEXT.length, column, row)
  },
}

/** Two numbers, as the cells of a struct. */
export const POINT: FieldForm = asCell((bytes, start) => [
  bytes.readDoubleBE(start),
  bytes.readDoubleBE(start + 8),
])

/** The JSON of an `hstore` without blanks, as connectors write it. */
export const COMPACT_JSON: FieldForm = asCell((bytes, start, end) =>
  JSON.stringify(JSON.parse(bytes.toString('utf8', start, end))),
)

/** What has no faster way than a cell. */
export function asCell(read: ReadField): FieldForm {
  return { read, put: (bytes, start, end, column, row) => putCell(read(bytes, start, end), column, row) }
}

/** An array of one dimension; its elements come one after the other, each with its length. */
export function arrayForm(element: ReadField): FieldForm {
  return asCell((bytes, start) => {
    const dimensions = readInt32(bytes, start)
    if (dimensions === 0) return []
    if (dimensions > 1) return NESTED
    const cells: Cell[] = new Array(readInt32(bytes, start + 12))
    let at = start + 20
    for (let i = 0; i < cells.length; i++) {
      const length = readInt32(bytes, at)
      at += 4
      const cell = length < 0 ? null : element(bytes, at, at + length)
      if (cell instanceof Fault) return cell.of('has an element that')
      cells[i] = cell
      at += Math.max(length, 0)
    }
    return cells
  })
}

function readDays(bytes: Buffer, start: number): number {
  const days = readInt32(bytes, start)
  if (days === INT32_MAX) return LAST_DAY
  return days === INT32_MIN ? FIRST_DAY : days + DAYS_BEFORE
}

function timestampCell(high: number, low: number): bigint | Fault {
  if (high === INT32_MAX && low === -1) return LAST_MICROS
  if (high === INT32_MIN && low === 0) return FIRST_MICROS
  const micros = (BigInt(high) << 32n) + BigInt(low >>> 0) + BigInt(MICROS_BEFORE)
  return BigInt.asIntN(64, micros) === micros ? micros : TOO_FAR
}

const UUID_TEXT = Buffer.alloc(36, '-')
const HEX = Buffer.from('0123456789abcdef')
/** Where the two digits of each byte stand. */
const UUID_PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const

function putUuid(bytes: Buffer, start: number): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[start + i]!
    const at = UUID_PLACES[i]!
    UUID_TEXT[at] = HEX[byte >> 4]!
    UUID_TEXT[at + 1] = HEX[byte & 15]!
  }
}

function putInt32(column: PackedColumn, row: number, value: number): null {
  ;(column as PackedInt32).putInteger(row, value)
  return null
}

/** @param low as a number of which the lower 32 bits count */
function putWords(column: PackedColumn, row: number, low: number, high: number): null {
  const { states, words } = column as PackedInt64
  states[row] = PACKED_VALUE
  words[2 * row] = low
  words[2 * row + 1] = high
  return null
}

function putReal(column: PackedColumn, row: number, value: number): null {
  ;(column as PackedDoubles).putReal(row, value)
  return null
}

function putBytes(bytes: Buffer, start: number, end: number, column: PackedColumn, row: number): null {
  ;(column as PackedBytes).putBytes(row, bytes, start, end)
  return null
}

function putCell(cell: Cell | Fault, column: PackedColumn, row: number): Fault | null {
  if (cell instanceof Fault) return cell
  column.putCell(row, cell)
  return null
}
