import { epochMicros, MICROS_PER_DAY, timeOfDayText } from '../../schemas/civil-time.ts'
import type { DeltaType } from '../../schemas/delta-types.ts'
import { daysFromCivil } from '../../schemas/time-text.ts'
import type { CanonicalText, NonNullCell } from './canonical-text.ts'

/*
 * Dates as days, all else as microseconds: no calendar, no zone, no style. Infinities are what the decoder makes of
 * them, the ends of what every reader can hold (`schemas/decode/time-cells.ts`).
 */

const ASCII = { isAscii: true, loss: null, isOneToOne: true } as const
const LAST_DAY = daysFromCivil(9999, 12, 31)
const FIRST_DAY = daysFromCivil(1, 1, 1)
const LAST_MICROS = epochMicros(LAST_DAY, MICROS_PER_DAY - 1)
const FIRST_MICROS = epochMicros(FIRST_DAY, 0)

export function dateText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'date') return null
  const sql = (value: string) => {
    const days = `(${value} - date '1970-01-01')::text`
    return `CASE WHEN isfinite(${value}) THEN ${days} ELSE ${ends(value, LAST_DAY, FIRST_DAY)} END`
  }
  return { ...ASCII, sql, text: String, cell: Number }
}

export function timestampText(delta: DeltaType): CanonicalText | null {
  return delta === 'timestamp_ntz' || delta === 'timestamp' ? MICROS : null
}

export function timestamptzText(delta: DeltaType): CanonicalText | null {
  return delta === 'timestamp' ? MICROS : null
}

const MICROS: CanonicalText = {
  ...ASCII,
  sql: (value) =>
    `CASE WHEN isfinite(${value}) THEN (extract(epoch FROM ${value}) * 1000000)::int8::text ` +
    `ELSE ${ends(value, LAST_MICROS, FIRST_MICROS)} END`,
  text: String,
  cell: BigInt,
}

/** Of an infinite value, or of NULL. */
function ends(value: string, last: number | bigint, first: number | bigint): string {
  return `CASE WHEN ${value} = 'infinity' THEN '${last}' WHEN ${value} = '-infinity' THEN '${first}' END`
}

/** Microseconds of the day; 24:00 is the end of it. */
export function timeText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'string') return null
  return {
    ...ASCII,
    sql: (value) => `(extract(epoch FROM ${value}) * 1000000)::int8::text`,
    text: (cell) => String(microsOfDay(cell as string)),
    cell: (text) => timeOfDayText(Number(text)),
    isOneToOne: false,
  }
}

/** The same moment of a day in UTC; midnight has one name. */
export function timetzText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'string') return null
  return {
    isAscii: true,
    loss: 'the zone of a time of day is not delivered, only the same time in UTC',
    // Seconds of the day in UTC, which may be those of the day before or after.
    sql: (value) => {
      const micros = `(extract(epoch FROM ${value}) * 1000000)::int8`
      return `((${micros} + ${MICROS_PER_DAY}) % ${MICROS_PER_DAY})::text`
    },
    text: (cell) => {
      const micros = microsOfDay((cell as string).replace(/Z$/, ''))
      return typeof micros === 'number' ? String(micros % MICROS_PER_DAY) : micros
    },
    cell: (text) => `${timeOfDayText(Number(text))}Z`,
    isOneToOne: false,
  }
}

/** A text that is no time of day stays itself, and equals none. */
function microsOfDay(text: string): number | string {
  const found = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?$/.exec(text)
  if (found === null) return text
  const [, hours, minutes, seconds = '0', fraction = ''] = found
  return (
    ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000_000 +
    Number(fraction.padEnd(6, '0'))
  )
}

/** `interval.handling.mode`: as microseconds, or in ISO text, which tells all. */
export function intervalText(delta: DeltaType): CanonicalText | null {
  return delta === 'long' ? APPROXIMATE_INTERVAL : delta === 'string' ? INTERVAL : null
}

/** As connectors reckon: in doubles, step by step, a month as 30.4375 days. */
const APPROXIMATE_INTERVAL: CanonicalText = {
  isAscii: true,
  loss: 'months, days and hours of an interval are delivered as one number (interval.handling.mode=numeric)',
  sql: (value) => {
    const part = (name: string) => `extract(${name} FROM ${value})::float8`
    const days = `(${part('year')} * 12 + ${part('month')}) * 30.4375::float8 + ${part('day')}`
    const seconds = `(((${days}) * 24 + ${part('hour')}) * 60 + ${part('minute')}) * 60 + ${part('second')}`
    return `trunc((${seconds}) * 1000000)::int8::text`
  },
  text: String,
  cell: BigInt,
  isOneToOne: true,
}

/** `months|days|microseconds` */
const INTERVAL: CanonicalText = {
  ...ASCII,
  sql: (value) => {
    const part = (name: string) => `extract(${name} FROM ${value})`
    const micros = `(${part('hour')} * 60 + ${part('minute')}) * 60000000 + ${part('microseconds')}`
    return `(${part('year')} * 12 + ${part('month')})::int8 || '|' || ${part('day')}::int8 || '|' || (${micros})::int8`
  },
  text: isoIntervalText,
  cell: isoInterval,
  isOneToOne: false,
}

const ISO_INTERVAL =
  /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d{1,6})\d*)?S)?)?$/

/** A text that is no interval stays itself, and equals none. */
function isoIntervalText(cell: NonNullCell): string {
  const found = ISO_INTERVAL.exec(cell as string)
  if (found === null) return cell as string
  const whole = (at: number) => BigInt(found[at] ?? 0)
  const months = whole(1) * 12n + whole(2)
  const fraction = BigInt((found[8] ?? '').padEnd(6, '0'))
  const seconds = whole(7) * 1_000_000n + fraction
  const micros = (whole(4) * 60n + whole(5)) * 60_000_000n + (found[6] === '-' ? -seconds : seconds)
  return `${months}|${whole(3)}|${micros}`
}

/** As a connector writes it: with all its parts, each with a sign of its own. @param text `months|days|microseconds` */
function isoInterval(text: string): string {
  const [months, days, micros] = text.split('|').map(BigInt) as [bigint, bigint, bigint]
  const [year, month, minutes] = [months / 12n, months % 12n, micros / 60_000_000n]
  const rest = micros % 60_000_000n
  const size = rest < 0n ? -rest : rest
  const fraction = String(size % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const seconds = `${rest < 0n ? '-' : ''}${size / 1_000_000n}${fraction === '' ? '' : `.${fraction}`}`
  return `P${year}Y${month}M${days}DT${minutes / 60n}H${minutes % 60n}M${seconds}S`
}
