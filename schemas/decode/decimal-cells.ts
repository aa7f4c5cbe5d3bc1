import { decimalText } from '../decimal-text.ts'
import type { DecimalType } from '../delta-types.ts'
import { decodeBase64, decodeBase64Integer } from './base64.ts'
import { JSON_ASCII, JSON_INTEGER, JSON_NULL, JSON_OBJECT, JSON_REAL, type JsonTape } from './json-tape.ts'
import { type CellDecoder, readInt64 } from './number-cells.ts'
import { Fault } from './undecodable-reasons.ts'

/** A number as Postgres keeps it: `unscaled` · 10^-`scale`. */
export interface Decimal {
  readonly unscaled: bigint
  readonly scale: number
}

/** How a decimal is written: fixed scale, scale beside the value, or as text. */
export type ReadDecimal = (json: JsonTape, token: number) => Decimal | Fault

const NOT_BASE64 = new Fault('BAD_DECIMAL', 'is not base64')
const EMPTY = new Fault('BAD_DECIMAL', 'has no bytes')
const IS_NUMBER = new Fault(
  'BAD_DECIMAL',
  'is a JSON number: set decimal.handling.mode=precise, or name its type double precision',
)
const NOT_DECIMAL = new Fault('BAD_DECIMAL', 'is not a decimal number')
const NOT_FINITE = new Fault('BAD_DECIMAL', 'is not finite: name its type text to keep NaN and infinities')
const BAD_SCALE = new Fault('BAD_DECIMAL', 'has a scale that Postgres does not have')
const TOO_PRECISE = new Fault('DECIMAL_OUT_OF_RANGE', 'has more digits after the point than its type')
const TOO_MANY_DIGITS = new Fault('DECIMAL_OUT_OF_RANGE', 'has more digits than its type')

const SCALE = Buffer.from('scale')
const VALUE = Buffer.from('value')

/** Postgres: up to 16383 digits after the point, 131072 before it. */
const SCALE_MAX = 16_383
const EXPONENT_MAX = 131_072
/** Nothing longer is a number of Postgres; turning digits into a number and back takes more than linear time. */
const DIGITS_MAX = EXPONENT_MAX + SCALE_MAX
const BYTES_MAX = Math.ceil((DIGITS_MAX * Math.log2(10)) / 8) + 1

/** The unscaled value as base64 of big-endian two's complement. */
export function readFixedDecimal(scale: number, numberAllowed: boolean): ReadDecimal {
  return (json, token) => {
    const kind = json.kind(token)
    if (kind === JSON_INTEGER || kind === JSON_REAL)
      return numberAllowed ? parseDecimal(json.text(token)) : IS_NUMBER
    const unscaled = readUnscaled(json, token)
    return unscaled instanceof Fault ? unscaled : { unscaled, scale }
  }
}

/** `{"scale":3,"value":"ALxhTg=="}`. */
export function readVariableDecimal(json: JsonTape, token: number): Decimal | Fault {
  if (json.kind(token) !== JSON_OBJECT) return NOT_DECIMAL
  const scaleToken = json.member(token, SCALE)
  const valueToken = json.member(token, VALUE)
  if (scaleToken < 0 || valueToken < 0 || json.kind(valueToken) === JSON_NULL) return NOT_DECIMAL
  const scale = readInt64(json, scaleToken)
  if (typeof scale !== 'number' || Math.abs(scale) > SCALE_MAX) return BAD_SCALE
  const unscaled = readUnscaled(json, valueToken)
  return unscaled instanceof Fault ? unscaled : { unscaled, scale }
}

/** Digits, as `decimal.handling.mode=string` writes them. */
export function readTextDecimal(json: JsonTape, token: number): Decimal | Fault {
  return json.kind(token) === JSON_ASCII ? parseDecimal(json.text(token)) : NOT_DECIMAL
}

/** An integer where the contract says decimal: the column was an integer before. */
export function readIntegerDecimal(json: JsonTape, token: number): Decimal | Fault {
  const value = readInt64(json, token)
  return value instanceof Fault ? value : { unscaled: BigInt(value), scale: 0 }
}

/**
 * A decimal as text of up to 15 digits without an exponent, unscaled at `scale`.
 *
 * @returns NaN for every other form, good or bad, and when it has more digits after the point than `scale`
 */
export function usualTextDecimal(json: JsonTape, token: number, scale: number): number {
  if (json.kind(token) !== JSON_ASCII) return Number.NaN
  const { bytes } = json
  const start = json.start(token)
  const end = json.end(token)
  const first = bytes[start] === 0x2d ? start + 1 : start
  if (end - first > 16) return Number.NaN
  let unscaled = 0
  let digits = 0
  let pointAt = end
  for (let i = first; i < end; i++) {
    const digit = bytes[i]! - 0x30
    if (digit >= 0 && digit <= 9) {
      unscaled = unscaled * 10 + digit
      digits++
    } else if (bytes[i] === 0x2e && pointAt === end) pointAt = i
    else return Number.NaN
  }
  const fraction = pointAt === end ? 0 : end - pointAt - 1
  if (digits === 0 || digits > 15 || fraction > scale) return Number.NaN
  if (fraction < scale) unscaled *= 10 ** (scale - fraction)
  if (unscaled > Number.MAX_SAFE_INTEGER) return Number.NaN
  return first === start ? unscaled : -unscaled
}

/** An unscaled value in base64, of up to six bytes. @returns NaN for every other form, good or bad */
export function usualBase64Decimal(json: JsonTape, token: number): number {
  const start = json.start(token)
  const length = json.end(token) - start
  if (json.kind(token) !== JSON_ASCII || length > 8) return Number.NaN
  return decodeBase64Integer(json.bytes, start, start + length)
}

/** The cell of a `decimal(p,s)`: rescaled without loss, or refused. */
export function decimalCell(type: DecimalType, read: ReadDecimal): CellDecoder {
  const limit = 10n ** BigInt(type.precision)
  return (json, token) => {
    const value = read(json, token)
    if (value instanceof Fault) return value
    const unscaled = rescale(value, type.scale)
    if (unscaled instanceof Fault) return unscaled
    return unscaled >= limit || unscaled <= -limit ? TOO_MANY_DIGITS : unscaled
  }
}

/** The cell of an unbounded `numeric`: all its digits, never an exponent. */
export function decimalTextCell(read: ReadDecimal): CellDecoder {
  return (json, token) => {
    const value = read(json, token)
    return value instanceof Fault ? value : decimalText(value.unscaled, value.scale)
  }
}

function rescale(value: Decimal, scale: number): bigint | Fault {
  if (value.scale === scale) return value.unscaled
  if (value.scale < scale) {
    const shift = scale - value.scale
    // 10^38 is beyond every type already: no need to make a number of a million digits.
    if (shift > 38) return value.unscaled === 0n ? 0n : TOO_MANY_DIGITS
    return value.unscaled * 10n ** BigInt(shift)
  }
  const divisor = 10n ** BigInt(value.scale - scale)
  return value.unscaled % divisor === 0n ? value.unscaled / divisor : TOO_PRECISE
}

function readUnscaled(json: JsonTape, token: number): bigint | Fault {
  if (json.kind(token) !== JSON_ASCII) return json.isString(token) ? NOT_BASE64 : NOT_DECIMAL
  const bytes = decodeBase64(json.bytes, json.start(token), json.end(token))
  if (bytes === null) return NOT_BASE64
  if (bytes.length > BYTES_MAX) return TOO_MANY_DIGITS
  return bytes.length === 0 ? EMPTY : signedBigEndian(bytes)
}

/** Big-endian two's complement of any length. */
export function signedBigEndian(bytes: Uint8Array): bigint {
  const isNegative = bytes[0]! > 0x7f
  if (bytes.length <= 6) {
    let value = isNegative ? -1 : 0
    for (let i = 0; i < bytes.length; i++) value = value * 256 + bytes[i]!
    return BigInt(value)
  }
  const unsigned = BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`)
  return isNegative ? BigInt.asIntN(bytes.length * 8, unsigned) : unsigned
}

/** `12.50`, `1.25E+1`, `1E-20`: exact, whatever the number of digits. */
function parseDecimal(text: string): Decimal | Fault {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/.exec(text)
  if (match === null)
    return /^(NAN|NaN|[+-]?Infinity|(POSITIVE|NEGATIVE)_INFINITY)$/.test(text) ? NOT_FINITE : NOT_DECIMAL
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole.length + fraction.length === 0) return NOT_DECIMAL
  if (whole.length + fraction.length > DIGITS_MAX) return TOO_MANY_DIGITS
  const scale = fraction.length - Number(exponent)
  if (scale > SCALE_MAX * 2 || scale < -EXPONENT_MAX) return BAD_SCALE
  const unscaled = BigInt(whole + fraction)
  return { unscaled: sign === '-' ? -unscaled : unscaled, scale }
}
