import { decimalText } from '../../schemas/decimal-text.ts'
import type { DeltaType } from '../../schemas/delta-types.ts'
import type { CanonicalText, NonNullCell } from './canonical-text.ts'

const ASCII = { isAscii: true, loss: null, isOneToOne: true } as const

/** `1` and `0`. */
export function booleanText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'boolean') return null
  return {
    ...ASCII,
    sql: (value) => `(${value})::int::text`,
    text: (cell) => (cell === true ? '1' : '0'),
    cell: (text) => text === '1',
  }
}

/** Digits. */
export function integerText(delta: DeltaType): CanonicalText | null {
  if (delta !== 'byte' && delta !== 'short' && delta !== 'integer' && delta !== 'long') return null
  const cell = delta === 'long' ? BigInt : Number
  return { ...ASCII, sql: (value) => `(${value})::text`, text: String, cell }
}

/** Digits without zeros at the end of the fraction, never an exponent; `NaN`, `Infinity`, `-Infinity`. */
export function decimalColumnText(delta: DeltaType): CanonicalText | null {
  if (delta === 'double') return roundedDecimalText()
  return decimalCells(delta, (value) => `trim_scale(${value})::text`)
}

/** As a number with a fraction: the sign of the currency is not delivered. */
export function moneyText(delta: DeltaType): CanonicalText | null {
  return decimalCells(delta, (value) => `trim_scale((${value})::numeric)::text`)
}

/** `decimal.handling.mode=double`: what the source has beyond a double is not delivered. */
function roundedDecimalText(): CanonicalText {
  const real = realText('float8', 'double')!
  const loss = 'digits beyond a double are not delivered (decimal.handling.mode)'
  return { ...real, loss, sql: (value) => real.sql(`(${value})::float8`) }
}

/** How connectors call what is no number (`decimal.handling.mode=string`). */
const SPECIALS: Readonly<Record<string, string>> = {
  NAN: 'NaN',
  POSITIVE_INFINITY: 'Infinity',
  NEGATIVE_INFINITY: '-Infinity',
}

function decimalCells(delta: DeltaType, sql: CanonicalText['sql']): CanonicalText | null {
  if (delta === 'string') {
    const special = (text: string) => Object.keys(SPECIALS).find((name) => SPECIALS[name] === text)
    const text = (cell: NonNullCell) => SPECIALS[cell as string] ?? withoutZeros(cell as string)
    return { ...ASCII, isOneToOne: false, sql, text, cell: (each) => special(each) ?? each }
  }
  if (typeof delta === 'string' || delta.kind !== 'decimal') return null
  const { scale } = delta
  const text = (cell: NonNullCell) => withoutZeros(decimalText(cell as bigint, scale))
  return { ...ASCII, sql, text, cell: (each) => unscaled(each, scale) }
}

function unscaled(digits: string, scale: number): bigint {
  const [whole, fraction = ''] = digits.split('.') as [string, string?]
  return BigInt(whole + fraction.padEnd(scale, '0'))
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
    ...(type === 'float4'
      ? {
          text: floatHex,
          cell: (text: string) => (text === 'NaN' ? Number.NaN : bytesOf(text).readFloatBE()),
        }
      : { text: doubleHex, cell: doubleOfHex }),
  }
}

export function doubleHex(cell: NonNullCell): string {
  if (Number.isNaN(cell)) return 'NaN'
  BYTES.setFloat64(0, cell as number)
  return hex32(BYTES.getUint32(0)) + hex32(BYTES.getUint32(4))
}

/** @param text of `doubleHex` */
export function doubleOfHex(text: string): number {
  return text === 'NaN' ? Number.NaN : bytesOf(text).readDoubleBE()
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

function floatHex(cell: NonNullCell): string {
  if (Number.isNaN(cell)) return 'NaN'
  BYTES.setFloat32(0, cell as number)
  return hex32(BYTES.getUint32(0))
}

function hex32(bits: number): string {
  return bits.toString(16).padStart(8, '0')
}
