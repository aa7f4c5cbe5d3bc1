import { decimalText } from '../../schemas/decimal-text.ts'
import type { DeltaType } from '../../schemas/delta-types.ts'
import type { CanonicalText, NonNullCell } from './canonical-text.ts'

const ASCII = { isAscii: true, loss: null } as const

/** `1` and `0`. */
export function booleanText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'boolean') return null
  return { ...ASCII, sql: (value) => `(${value})::int::text`, text: (cell) => (cell === true ? '1' : '0') }
}

/** Digits. */
export function integerText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'byte' && delta !== 'short' && delta !== 'integer' && delta !== 'long') return null
  return { ...ASCII, sql: (value) => `(${value})::text`, text: String }
}

/** Digits without zeros at the end of the fraction, never an exponent; `NaN`, `Infinity`, `-Infinity`. */
export function decimalColumnText(delta: DeltaType): CanonicalText | null {
  if (delta === 'double') return roundedDecimalText()
  const text = decimalCellText(delta)
  return text === null ? null : { ...ASCII, sql: (value) => `trim_scale(${value})::text`, text }
}

/** As a number with a fraction: the sign of the currency is not delivered. */
export function moneyText(delta: DeltaType): CanonicalText | null {
  const text = decimalCellText(delta)
  return text === null ? null : { ...ASCII, sql: (value) => `trim_scale((${value})::numeric)::text`, text }
}

/** `decimal.handling.mode=double`: what the source has beyond a double is not delivered. */
function roundedDecimalText(): CanonicalText {
  const { sql, text } = realText('float8', 'double')!
  const loss = 'digits beyond a double are not delivered (decimal.handling.mode)'
  return { isAscii: true, loss, sql: (value) => sql(`(${value})::float8`), text }
}

/** How connectors call what is no number (`decimal.handling.mode=string`). */
const SPECIALS: Readonly<Record<string, string>> = {
  NAN: 'NaN',
  POSITIVE_INFINITY: 'Infinity',
  NEGATIVE_INFINITY: '-Infinity',
}

function decimalCellText(delta: DeltaType): ((cell: NonNullCell) => string) | null {
  if (delta === 'string') return (cell) => SPECIALS[cell as string] ?? withoutZeros(cell as string)
  if (typeof delta === 'string' || delta.kind !== 'decimal') return null
  const { scale } = delta
  return (cell) => withoutZeros(decimalText(cell as bigint, scale))
}

function withoutZeros(digits: string): string {
  if (!digits.includes('.')) return digits
  let end = digits.length
  while (digits.charCodeAt(end - 1) === 0x30) end--
  return digits.slice(0, digits.charCodeAt(end - 1) === 0x2e ? end - 1 : end)
}

const BYTES = new DataView(new ArrayBuffer(8))

/**
 * The bits, big endian, in hex: texts of floats differ between languages (`1e+20`), bits do not. All NaNs are one, as
 * they are in Postgres.
 */
export function realText(type: 'float4' | 'float8', delta: DeltaType): CanonicalText | null {
  if (delta !== 'float' && delta !== 'double') return null
  return {
    ...ASCII,
    sql: (value) => `CASE WHEN ${value} = 'NaN' THEN 'NaN' ELSE encode(${type}send(${value}), 'hex') END`,
    text: type === 'float4' ? floatHex : doubleHex,
  }
}

export function doubleHex(cell: NonNullCell): string {
  if (Number.isNaN(cell)) return 'NaN'
  BYTES.setFloat64(0, cell as number)
  return hex32(BYTES.getUint32(0)) + hex32(BYTES.getUint32(4))
}

function floatHex(cell: NonNullCell): string {
  if (Number.isNaN(cell)) return 'NaN'
  BYTES.setFloat32(0, cell as number)
  return hex32(BYTES.getUint32(0))
}

function hex32(bits: number): string {
  return bits.toString(16).padStart(8, '0')
}
