import { daysOf, epochMicros, MICROS_PER_DAY, timeOfDayText } from '../civil-time.ts'
import type { TimeUnit } from '../column-spec.ts'
import { daysFromCivil } from '../time-text.ts'
import { JSON_ASCII, JSON_INTEGER, type JsonTape } from './json-tape.ts'
import { type CellDecoder, readInt64 } from './number-cells.ts'
import { Fault } from './undecodable-reasons.ts'

/*
 * Infinities are clamped to the ends of what every reader of the table can hold: 9999-12-31T23:59:59.999999 and
 * 0001-01-01T00:00:00. They compare as they did, and nothing is lost to a dead letter. Finite values beyond those ends
 * (BC, +21016) keep their exact microseconds.
 */
const LAST_DAY = daysFromCivil(9999, 12, 31)
const FIRST_DAY = daysFromCivil(1, 1, 1)
const LAST_MICROS = epochMicros(LAST_DAY, MICROS_PER_DAY - 1)
const FIRST_MICROS = epochMicros(FIRST_DAY, 0)

/** Postgres's infinite dates (int32 max and min since 2000-01-01) after the connector's int32 has run over. */
const DATE_INFINITY = -2_147_472_692
const DATE_MINUS_INFINITY = -2_147_472_691

/** What the driver's infinite timestamps become in each unit. */
const INFINITY: Readonly<Record<TimeUnit, bigint>> = {
  ms: 9_223_372_036_825_200n,
  us: 9_223_372_036_825_200_000n,
  ns: 9_223_372_036_854_775_807n,
}
const MINUS_INFINITY: Readonly<Record<TimeUnit, bigint>> = {
  ms: -9_223_372_036_832_400n,
  us: -9_223_372_036_832_400_000n,
  ns: -9_223_372_036_854_775_808n,
}

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

const BAD_DATE = new Fault('BAD_DATE', 'is not a date')
const BAD_TIME = new Fault('BAD_TIME', 'is not a time of day')
const BAD_TIMESTAMP = new Fault('BAD_TIMESTAMP', 'is not a timestamp')
const NO_ZONE = new Fault('BAD_TIMESTAMP', 'has no time zone')
const TOO_FAR = new Fault('TIMESTAMP_OUT_OF_RANGE', 'is beyond int64 microseconds')

/** Years are signed and longer where four digits do not do; seconds may be missing; up to nine digits of fraction. */
const DATE = /^([+-]\d{4,9}|\d{4})-(\d\d)-(\d\d)(?:Z|[+-]\d\d:\d\d)?$/
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?Z?$/
const TIMESTAMP =
  /^([+-]\d{4,9}|\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?$/

/** Days since the epoch, from a number of days or ISO text. */
export function dateCell(json: JsonTape, token: number): number | Fault {
  if (json.kind(token) !== JSON_ASCII) {
    const days = readInt64(json, token)
    if (typeof days !== 'number' || days < -(2 ** 31) || days >= 2 ** 31) return BAD_DATE
    return days === DATE_INFINITY ? LAST_DAY : days === DATE_MINUS_INFINITY ? FIRST_DAY : days
  }
  const text = json.text(token)
  if (text === 'infinity') return LAST_DAY
  if (text === '-infinity') return FIRST_DAY
  const match = DATE.exec(text)
  const days = match === null ? null : civilDays(match)
  return days === null || Math.abs(days) >= 2 ** 31 ? BAD_DATE : days
}

/** Delta has no type for a time of day: text with six digits after the point. */
export function timeCell(unit: TimeUnit): CellDecoder {
  return (json, token) => {
    const micros =
      json.kind(token) === JSON_ASCII
        ? microsOfTime(TIME.exec(json.text(token)), 1)
        : readTime(json, token, unit)
    return micros === null || micros < 0 || micros > MICROS_PER_DAY ? BAD_TIME : timeOfDayText(micros)
  }
}

/** Microseconds without a zone, from a number or ISO text (whose `Z` says nothing). */
export function timestampCell(unit: TimeUnit): CellDecoder {
  return (json, token) => {
    if (json.kind(token) === JSON_INTEGER) return readTimestamp(json, token, unit)
    if (json.kind(token) !== JSON_ASCII) return BAD_TIMESTAMP
    return parseTimestamp(json.text(token), false)
  }
}

/** Microseconds, UTC. */
export function zonedTimestampCell(json: JsonTape, token: number): bigint | Fault {
  if (json.kind(token) !== JSON_ASCII) return BAD_TIMESTAMP
  const micros = usualMicros(json, token)
  return Number.isNaN(micros) ? parseTimestamp(json.text(token), true) : BigInt(micros)
}

/** Whether it is what the connector makes of an infinite date. */
export function isInfiniteDate(days: number): boolean {
  return days === DATE_INFINITY || days === DATE_MINUS_INFINITY
}

/**
 * `2026-03-01T12:30:15.123456Z`, as nearly all are, without a string or an expression: an eighth of the time.
 *
 * @returns NaN for every other form, good or bad, and for years of which a `number` does not hold the microseconds
 */
export function usualMicros(json: JsonTape, token: number): number {
  const { bytes } = json
  const start = json.start(token)
  const end = json.end(token)
  if (json.kind(token) !== JSON_ASCII || !isUsualForm(bytes, start, end)) return Number.NaN
  const year = digits(bytes, start, 4)
  const month = digits(bytes, start + 5, 2)
  const day = digits(bytes, start + 8, 2)
  const hour = digits(bytes, start + 11, 2)
  const minute = digits(bytes, start + 14, 2)
  const second = digits(bytes, start + 17, 2)
  const fraction = digits(bytes, start + 20, 6)
  if ((year | month | day | hour | minute | second | fraction) < 0) return Number.NaN
  const days = daysOf(year, month, day)
  if (days === null || hour > 23 || minute > 59 || second > 59) return Number.NaN
  const micros = days * MICROS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
  return Number.isSafeInteger(micros) ? micros : Number.NaN
}

/** Whether the marks between the digits stand where they usually do. */
function isUsualForm(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start === 27 &&
    bytes[end - 1] === 0x5a &&
    bytes[start + 19] === 0x2e &&
    bytes[start + 4] === 0x2d &&
    bytes[start + 7] === 0x2d &&
    bytes[start + 10] === 0x54 &&
    bytes[start + 13] === 0x3a &&
    bytes[start + 16] === 0x3a
  )
}

/** @returns -1 when one of them is no digit */
function digits(bytes: Uint8Array, start: number, count: number): number {
  let value = 0
  for (let i = start; i < start + count; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function readTime(json: JsonTape, token: number, unit: TimeUnit): number | null {
  const value = readInt64(json, token)
  if (typeof value !== 'number') return null
  return unit === 'ms' ? value * 1000 : unit === 'us' ? value : Math.floor(value / 1000)
}

function readTimestamp(json: JsonTape, token: number, unit: TimeUnit): bigint | Fault {
  const read = readInt64(json, token)
  if (read instanceof Fault) return read.reason === 'INTEGER_OUT_OF_RANGE' ? TOO_FAR : BAD_TIMESTAMP
  if (typeof read === 'number' && unit === 'us') return BigInt(read)
  const value = BigInt(read)
  if (value === INFINITY[unit]) return LAST_MICROS
  if (value === MINUS_INFINITY[unit]) return FIRST_MICROS
  if (unit === 'us') return value
  const micros = unit === 'ms' ? value * 1000n : floorToMicros(value)
  return micros < INT64_MIN || micros > INT64_MAX ? TOO_FAR : micros
}

function floorToMicros(nanos: bigint): bigint {
  const micros = nanos / 1000n
  return micros * 1000n > nanos ? micros - 1n : micros
}

function parseTimestamp(text: string, isZoned: boolean): bigint | Fault {
  if (text === 'infinity') return LAST_MICROS
  if (text === '-infinity') return FIRST_MICROS
  const match = TIMESTAMP.exec(text)
  if (match === null) return BAD_TIMESTAMP
  const zone = match[8]
  if (isZoned && zone === undefined) return NO_ZONE
  const days = civilDays(match)
  const ofDay = microsOfTime(match, 4)
  if (days === null || ofDay === null || ofDay >= MICROS_PER_DAY) return BAD_TIMESTAMP
  const offset = isZoned ? offsetMicros(zone!) : 0
  if (offset === null) return BAD_TIMESTAMP
  const micros = epochMicros(days, ofDay) - BigInt(offset)
  return micros < INT64_MIN || micros > INT64_MAX ? TOO_FAR : micros
}

/** Groups 1 to 3: year, month, day. No day rolls over into the next month. */
function civilDays(match: RegExpExecArray): number | null {
  return daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
}

/** Four groups from `at` on: hour, minute, second, fraction. A leap second is none; 24:00:00 is the end of a day. */
function microsOfTime(match: RegExpExecArray | null, at: number): number | null {
  if (match === null) return null
  const [hour, minute, second] = [Number(match[at]), Number(match[at + 1]), Number(match[at + 2] ?? 0)]
  if (hour > 24 || minute > 59 || second > 59) return null
  const fraction = Number((match[at + 3] ?? '').padEnd(6, '0').slice(0, 6))
  return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
}

function offsetMicros(zone: string): number | null {
  if (zone === 'Z') return 0
  const [hour, minute] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || 0)]
  if (hour > 18 || minute > 59) return null
  return (zone[0] === '-' ? -1 : 1) * (hour * 60 + minute) * 60_000_000
}
