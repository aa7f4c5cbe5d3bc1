/**
 * The proleptic Gregorian calendar in integers: JavaScript's `Date` rolls over, stops at year 275760 and cannot read
 * the years of Postgres (formats.md §7).
 */

export const MICROS_PER_DAY = 86_400_000_000

const MICROS_PER_DAY_BIG = BigInt(MICROS_PER_DAY)
/** Days whose microseconds are exact in a double (to the year 2255, both ways). */
const SAFE_DAYS = Math.floor(Number.MAX_SAFE_INTEGER / MICROS_PER_DAY) - 1

/** Days from 1970-01-01 to the given day; year 0 is 1 BC. */
export function daysFromCivil(year: number, month: number, day: number): number {
  // Years begin in March here, so that the leap day is a year's last.
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** The day that lies `days` after 1970-01-01. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  }
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Microseconds since the epoch; exact for any day of an int32. */
export function epochMicros(days: number, microsOfDay: number): bigint {
  return Math.abs(days) <= SAFE_DAYS
    ? BigInt(days * MICROS_PER_DAY + microsOfDay)
    : BigInt(days) * MICROS_PER_DAY_BIG + BigInt(microsOfDay)
}

/** `2024-02-29`; years before 1 as ISO 8601 has them (`0000` is 1 BC), beyond four digits with a sign. */
export function formatDate(days: number): string {
  const { year, month, day } = civilFromDays(days)
  const sign = year < 0 ? '-' : year > 9999 ? '+' : ''
  return `${sign}${pad(Math.abs(year), 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** `13:14:15.123456`, always six digits; `24:00:00.000000` is legal in Postgres. */
export function formatTime(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}.${pad(micros % 1_000_000, 6)}`
}

/** `2024-02-29T13:14:15.123456`, without a fraction when it is zero, without a zone. */
export function formatTimestamp(micros: bigint): string {
  const ofDay = Number(
    BigInt.asUintN(64, ((micros % MICROS_PER_DAY_BIG) + MICROS_PER_DAY_BIG) % MICROS_PER_DAY_BIG),
  )
  const days = Number((micros - BigInt(ofDay)) / MICROS_PER_DAY_BIG)
  const time = formatTime(ofDay)
  return `${formatDate(days)}T${ofDay % 1_000_000 === 0 ? time.slice(0, 8) : time}`
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}
