import { EngineError } from '../core/errors.ts'

/**
 * Dates and timestamps as text and back, by integer arithmetic on the proleptic Gregorian calendar: JavaScript's
 * `Date` knows no microseconds and ends in the year 275760.
 */

const MICROS_PER_SECOND = 1_000_000n
const MICROS_PER_DAY = 86_400_000_000n
const DAYS_PER_ERA = 146_097 // 400 years
const EPOCH_DAY = 719_468 // days from 0000-03-01 to 1970-01-01

/** Days since 1970-01-01 of a calendar day. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_DAY
}

/** Calendar day of days since 1970-01-01. */
export function civilFromDays(days: number): readonly [year: number, month: number, day: number] {
  const z = days + EPOCH_DAY
  const era = Math.floor(z / DAYS_PER_ERA)
  const dayOfEra = z - era * DAYS_PER_ERA
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day]
}

/** `2024-02-29`; years beyond four digits as they are, before year 0 with a minus sign. */
export function dateText(days: number): string {
  const [year, month, day] = civilFromDays(days)
  const digits = String(Math.abs(year)).padStart(4, '0')
  return `${year < 0 ? '-' : ''}${digits}-${two(month)}-${two(day)}`
}

/** `2024-02-29T12:34:56.123456`, always six digits, rounded toward the past before 1970 as well. */
export function timestampText(micros: bigint, separator: 'T' | ' '): string {
  let day = micros / MICROS_PER_DAY
  let rest = micros % MICROS_PER_DAY
  if (rest < 0n) {
    day -= 1n
    rest += MICROS_PER_DAY
  }
  const seconds = Number(rest / MICROS_PER_SECOND)
  const fraction = String(rest % MICROS_PER_SECOND).padStart(6, '0')
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return `${dateText(Number(day))}${separator}${time}.${fraction}`
}

/** The inverse of `dateText`. @throws EngineError `E_TIME_TEXT` when the text is none */
export function parseDate(text: string): number {
  const match = /^(-?\d{4,})-(\d\d)-(\d\d)$/.exec(text)
  if (match === null) throw notTime(text)
  return daysFromCivil(Number(match[1]), Number(match[2]), Number(match[3]))
}

/** Timestamps of the log: `T` or a space, up to six digits, with or without `Z`. Microseconds since the epoch. */
export function parseTimestamp(text: string): bigint {
  const match = /^(-?\d{4,}-\d\d-\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z?$/.exec(text)
  if (match === null) throw notTime(text)
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4])
  const fraction = BigInt((match[5] ?? '').padEnd(6, '0'))
  return BigInt(parseDate(match[1]!)) * MICROS_PER_DAY + BigInt(seconds) * MICROS_PER_SECOND + fraction
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function notTime(text: string): EngineError {
  return new EngineError(
    'E_TIME_TEXT',
    'stop-table',
    `${JSON.stringify(text)} is not a date or timestamp of the log`,
  )
}
