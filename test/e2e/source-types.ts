import type { CanonicalCell } from '../support/canonical-row.ts'
import { elementSlices } from '../support/json-slices.ts'

/**
 * How one Postgres type looks in `row_to_json` (what the recordings' `_final` files hold) and what must become of it in
 * a Delta table. Written from Postgres's and Debezium's documents, not from the engine under test: this is its judge.
 */
export interface SourceType {
  /** The Delta type as the table's schema names it. */
  readonly delta: DeltaTypeJson
  /** Raw JSON text of a value that is not null → the cell as the readers print it. */
  readonly cell: (raw: string) => CanonicalCell
}

export type DeltaTypeJson = string | { readonly [name: string]: unknown }

/** @param name as in `create table`: `numeric(10,2)`, `text[]`, `char(5)`; a domain by the name of its base type */
export function sourceType(name: string): SourceType {
  if (name.endsWith('[]')) return arrayOf(sourceType(name.slice(0, -2)))
  const numeric = /^numeric\((\d+),(\d+)\)$/.exec(name)
  if (numeric) return decimal(Number(numeric[1]), Number(numeric[2]))
  if (name === 'bit(1)') return { delta: 'boolean', cell: (raw) => text(raw) === '1' }
  const found = PLAIN_TYPES[name] ?? PLAIN_TYPES[name.replace(/\(\d+\)$/, '')]
  if (found === undefined) throw new Error(`no rule for the Postgres type ${name}`)
  return found
}

const asText: SourceType = { delta: 'string', cell: text }

const PLAIN_TYPES: Readonly<Record<string, SourceType>> = {
  smallint: { delta: 'short', cell: Number },
  int: { delta: 'integer', cell: Number },
  bigint: { delta: 'long', cell: longText },
  // A bare oid is a text in row_to_json.
  oid: { delta: 'long', cell: (raw) => longText(text(raw)) },
  real: { delta: 'float', cell: (raw) => finite(raw, Math.fround) },
  'double precision': { delta: 'double', cell: (raw) => finite(raw, (value) => value) },
  // Unbounded: Debezium sends every value with a scale of its own, without trailing zeros.
  numeric: { delta: 'string', cell: withoutTrailingZeros },
  money: { delta: 'decimal(19,2)', cell: (raw) => text(raw).replace(/[$,]/g, '') },
  bool: { delta: 'boolean', cell: (raw) => raw === 'true' },
  text: asText,
  varchar: asText,
  char: asText,
  citext: asText,
  uuid: asText,
  inet: asText,
  cidr: asText,
  macaddr: asText,
  macaddr8: asText,
  enum: asText,
  xml: asText,
  ltree: asText,
  int4range: asText,
  numrange: asText,
  tsrange: asText,
  tstzrange: asText,
  daterange: asText,
  bit: asText,
  varbit: asText,
  bytea: { delta: 'binary', cell: (raw) => text(raw).replace('\\x', '0x') },
  // The document itself stands in the row: its text, to the letter, is the value.
  json: { delta: 'string', cell: (raw) => raw },
  jsonb: { delta: 'string', cell: (raw) => raw },
  hstore: { delta: 'string', cell: (raw) => JSON.stringify(JSON.parse(raw)) },
  date: { delta: 'date', cell: text },
  time: { delta: 'string', cell: (raw) => sixDigits(text(raw)) },
  timetz: { delta: 'string', cell: (raw) => utcTime(text(raw)) },
  timestamp: { delta: 'timestamp_ntz', cell: (raw) => sixDigits(text(raw)) },
  timestamptz: { delta: 'timestamp', cell: (raw) => `${sixDigits(text(raw).replace('+00:00', ''))}Z` },
  interval: { delta: 'long', cell: (raw) => String(intervalMicros(text(raw))) },
  point: { delta: structOf({ x: 'double', y: 'double' }), cell: (raw) => point(text(raw)) },
}

function arrayOf(element: SourceType): SourceType {
  return {
    delta: { type: 'array', elementType: element.delta, containsNull: true },
    cell: (raw) => elementSlices(raw).map((slice) => (slice === 'null' ? null : element.cell(slice))),
  }
}

function structOf(fields: Readonly<Record<string, string>>): DeltaTypeJson {
  const nullable = { nullable: true, metadata: {} }
  return {
    type: 'struct',
    fields: Object.entries(fields).map(([name, type]) => ({ name, type, ...nullable })),
  }
}

function decimal(precision: number, scale: number): SourceType {
  return { delta: `decimal(${precision},${scale})`, cell: (raw) => raw }
}

function text(raw: string): string {
  const value: unknown = JSON.parse(raw)
  if (typeof value !== 'string') throw new Error(`expected a JSON string, found ${raw}`)
  return value
}

function longText(digits: string): string {
  return String(BigInt(digits))
}

/** `row_to_json` writes NaN and the infinities as strings, as the readers do. */
function finite(raw: string, narrow: (value: number) => number): CanonicalCell {
  return raw.startsWith('"') ? text(raw) : narrow(Number(raw))
}

function withoutTrailingZeros(raw: string): string {
  return raw.includes('.') ? raw.replace(/\.?0+$/, '') : raw
}

/** `…15.5` → `…15.500000`, `…15` → `…15.000000`. */
function sixDigits(instant: string): string {
  const [whole, fraction = ''] = instant.split('.')
  return `${whole}.${fraction.padEnd(6, '0')}`
}

/** `13:14:15.5+02` → `11:14:15.5Z`: Debezium shifts a time to UTC and writes as many digits as it needs. */
function utcTime(zoned: string): string {
  const match = /^(\d\d):(\d\d):(\d\d)(\.\d+)?([+-])(\d\d)(?::(\d\d))?$/.exec(zoned)
  if (match === null) throw new Error(`not a timetz: ${zoned}`)
  const [, hours, minutes, seconds, fraction = '', sign, offsetHours, offsetMinutes = '0'] = match
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -1 : 1)
  const day = 24 * 60
  const inUtc = (Number(hours) * 60 + Number(minutes) - offset + day) % day
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(inUtc / 60))}:${two(inUtc % 60)}:${seconds}${fraction}Z`
}

const MICROS_PER_SECOND = 1_000_000n
const MICROS_PER_DAY = 86_400n * MICROS_PER_SECOND
/** Debezium's `interval.handling.mode=numeric` counts a month as 30.4375 days. */
const MICROS_PER_MONTH = (MICROS_PER_DAY * 304_375n) / 10_000n

/** `1 year 2 mons 3 days -04:05:06.789` in microseconds. */
function intervalMicros(interval: string): bigint {
  const amount = (unit: string) => BigInt(new RegExp(`(-?\\d+) ${unit}`).exec(interval)?.[1] ?? 0)
  const months = amount('year') * 12n + amount('mon')
  return months * MICROS_PER_MONTH + amount('day') * MICROS_PER_DAY + clockMicros(interval)
}

function clockMicros(interval: string): bigint {
  const match = /(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(interval)
  if (match === null) return 0n
  const [, sign, hours, minutes, seconds, fraction = ''] = match
  const whole = (BigInt(hours!) * 60n + BigInt(minutes!)) * 60n + BigInt(seconds!)
  const micros = whole * MICROS_PER_SECOND + BigInt(fraction.padEnd(6, '0'))
  return sign === '-' ? -micros : micros
}

function point(value: string): CanonicalCell {
  const [x, y] = value.slice(1, -1).split(',').map(Number)
  return { x: x!, y: y! }
}
