import type { Cell } from '../delta-types.ts'
import { JSON_ASCII, JSON_FALSE, JSON_INTEGER, JSON_REAL, JSON_TRUE, type JsonTape } from './json-tape.ts'
import { Fault } from './undecodable-reasons.ts'

/** Turns the value at a token into a cell. Never asked for `null`. */
export type CellDecoder = (json: JsonTape, token: number) => Cell | Fault

const NOT_BOOLEAN = new Fault('BAD_BOOLEAN', 'is neither true nor false')
const NOT_INTEGER = new Fault('BAD_INTEGER', 'is not an integer')
const TOO_LARGE = new Fault('INTEGER_OUT_OF_RANGE', 'is beyond the range of its type')
const NOT_NUMBER = new Fault('BAD_NUMBER', 'is not a number')
const NO_DOUBLE = new Fault('NUMBER_OUT_OF_RANGE', 'is beyond the range of its type')

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const BILLION = 1_000_000_000n

export function booleanCell(json: JsonTape, token: number): boolean | Fault {
  const kind = json.kind(token)
  return kind === JSON_TRUE ? true : kind === JSON_FALSE ? false : NOT_BOOLEAN
}

/** int8, int16, int32: exact in a `number`. */
export function smallIntegerCell(bits: 8 | 16 | 32): CellDecoder {
  const limit = 2 ** (bits - 1)
  return (json, token) => {
    const value = readInt64(json, token)
    if (value instanceof Fault) return value
    return value < -limit || value >= limit ? TOO_LARGE : Number(value)
  }
}

export function longCell(json: JsonTape, token: number): bigint | Fault {
  const value = readInt64(json, token)
  return typeof value === 'number' ? BigInt(value) : value
}

/** An integer that a `number` holds exactly, written as one; NaN for everything else, good or bad. */
export function usualInteger(json: JsonTape, token: number): number {
  if (json.kind(token) !== JSON_INTEGER) return Number.NaN
  const value = parseInt64(json.bytes, json.start(token), json.end(token))
  return typeof value === 'number' ? value : Number.NaN
}

/** An int64: a `number` where that is exact, else a `bigint`. */
export function readInt64(json: JsonTape, token: number): number | bigint | Fault {
  const kind = json.kind(token)
  const start = json.start(token)
  const end = kind === JSON_INTEGER ? json.end(token) : endOfWholePart(json, token, kind)
  if (end < 0) return NOT_INTEGER
  return parseInt64(json.bytes, start, end)
}

/** `[start, end)` of a text is known to be `-?digits`. */
export function parseInt64(bytes: Uint8Array, start: number, end: number): number | bigint | Fault {
  const isNegative = bytes[start] === 0x2d
  const first = isNegative ? start + 1 : start
  if (end - first <= 16) {
    const value = digits(bytes, first, end)
    // What is beyond that is never rounded to below it.
    if (value <= Number.MAX_SAFE_INTEGER) return isNegative && value !== 0 ? -value : value
  }
  if (end - first > 19) return TOO_LARGE
  const magnitude = BigInt(digits(bytes, first, end - 9)) * BILLION + BigInt(digits(bytes, end - 9, end))
  const value = isNegative ? -magnitude : magnitude
  return value < INT64_MIN || value > INT64_MAX ? TOO_LARGE : value
}

/** `7.0` is the integer 7 (formats.md §9: values are compared, not their text); `7.5` and `7e0` are none. */
function endOfWholePart(json: JsonTape, token: number, kind: number): number {
  if (kind !== JSON_REAL) return -1
  const match = /^(-?\d+)\.0+$/.exec(json.text(token))
  return match === null ? -1 : json.start(token) + match[1]!.length
}

function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 10 + (bytes[i]! - 0x30)
  return value
}

/** A double; a number too large for one is refused, the three specials come as text. */
export function doubleCell(json: JsonTape, token: number): number | Fault {
  const kind = json.kind(token)
  if (kind === JSON_REAL || kind === JSON_INTEGER) {
    const value = Number(json.text(token))
    return Number.isFinite(value) ? value : NO_DOUBLE
  }
  if (kind !== JSON_ASCII) return NOT_NUMBER
  switch (json.text(token)) {
    case 'NaN':
      return Number.NaN
    case 'Infinity':
      return Number.POSITIVE_INFINITY
    case '-Infinity':
      return Number.NEGATIVE_INFINITY
    default:
      return NOT_NUMBER
  }
}

/**
 * A number of up to 15 digits, with or without a fraction: one division of exact numbers is the nearest double.
 *
 * @returns NaN for every other form, good or bad
 */
export function usualReal(json: JsonTape, token: number): number {
  const kind = json.kind(token)
  if (kind !== JSON_REAL && kind !== JSON_INTEGER) return Number.NaN
  const { bytes } = json
  const start = json.start(token)
  const end = json.end(token)
  const isNegative = bytes[start] === 0x2d
  const first = isNegative ? start + 1 : start
  if (end - first > 16) return Number.NaN
  let value = 0
  let fractionAt = -1
  for (let i = first; i < end; i++) {
    const digit = bytes[i]! - 0x30
    if (digit >= 0 && digit <= 9) value = value * 10 + digit
    else if (bytes[i] === 0x2e) fractionAt = i + 1
    else return Number.NaN
  }
  if (fractionAt >= 0) value /= 10 ** (end - fractionAt)
  else if (end - first > 15) return Number.NaN
  return isNegative ? -value : value
}

/** A float: the nearest single, so that equal values are equal cells whichever way they were written. */
export function floatCell(json: JsonTape, token: number): number | Fault {
  const value = doubleCell(json, token)
  if (value instanceof Fault) return value
  const single = Math.fround(value)
  return Number.isFinite(single) || json.kind(token) === JSON_ASCII ? single : NO_DOUBLE
}
