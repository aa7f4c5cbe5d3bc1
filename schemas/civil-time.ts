import { daysFromCivil } from './time-text.ts'

/*
 * Wall-clock values in integers (formats.md §7): JavaScript's `Date` rolls Feb 30 over, stops at year 275760 and does
 * not know 24:00.
 */

export const MICROS_PER_DAY = 86_400_000_000

const MICROS_PER_DAY_BIG = BigInt(MICROS_PER_DAY)
/** Days whose microseconds are exact in a double (to the year 2255, both ways). */
const SAFE_DAYS = Math.floor(Number.MAX_SAFE_INTEGER / MICROS_PER_DAY) - 1

/** Days since 1970-01-01; `null` when there is no such day. Year 0 is 1 BC. */
export function daysOf(year: number, month: number, day: number): number | null {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null
  return daysFromCivil(year, month, day)
}

/** Microseconds since the epoch; exact for any day of an int32. */
export function epochMicros(days: number, microsOfDay: number): bigint {
  return Math.abs(days) <= SAFE_DAYS
    ? BigInt(days * MICROS_PER_DAY + microsOfDay)
    : BigInt(days) * MICROS_PER_DAY_BIG + BigInt(microsOfDay)
}

/** `13:14:15.123456`, always six digits; `24:00:00.000000` is legal in Postgres. */
export function timeOfDayText(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}.${pad(micros % 1_000_000, 6)}`
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}
