import { Fault } from '../../schemas/decode/undecodable-reasons.ts'
import type { DecimalType } from '../../schemas/delta-types.ts'
import type { PackedInt64 } from '../../schemas/packed-columns.ts'
import { readInt16 } from './big-endian.ts'
import { asCell, type FieldForm, type PutField } from './copy-fields.ts'

const NOT_FINITE = new Fault('BAD_DECIMAL', 'is not finite: name its type numeric to keep NaN and infinities')
const TOO_PRECISE = new Fault('DECIMAL_OUT_OF_RANGE', 'has more digits after the point than its type')
const TOO_MANY_DIGITS = new Fault('DECIMAL_OUT_OF_RANGE', 'has more digits than its type')

const NEGATIVE = 0x4000
/** So many digits of base 10,000 are mostly below 2^53. */
const GROUPS_USUAL = 4
/** The greatest power of ten that a double holds exactly. */
const EXPONENT_EXACT = 22

/** A `numeric` as Postgres sends it: groups of four digits, and how many of them stand before the point. */
export function numericForm({ precision, scale }: DecimalType): FieldForm {
  const limit = 10n ** BigInt(precision)
  const limitUsual = Math.min(10 ** precision, Number.MAX_SAFE_INTEGER)
  const { read, put } = asCell((bytes, start) => {
    const unscaled = unscaledOf(bytes, start, scale)
    if (unscaled instanceof Fault) return unscaled
    return unscaled >= limit || unscaled <= -limit ? TOO_MANY_DIGITS : unscaled
  })
  const putUsual: PutField = (bytes, start, end, column, row) => {
    const unscaled = usualUnscaled(bytes, start, scale)
    if (!(Math.abs(unscaled) < limitUsual)) return put(bytes, start, end, column, row)
    ;(column as PackedInt64).putInteger(row, unscaled)
    return null
  }
  return { read, put: precision <= 18 ? putUsual : put }
}

/** @returns NaN for what a `number` may not hold exactly, and for what is none */
function usualUnscaled(bytes: Buffer, start: number, scale: number): number {
  const groups = readInt16(bytes, start)
  const sign = readInt16(bytes, start + 4)
  if (groups > GROUPS_USUAL || (sign !== 0 && sign !== NEGATIVE)) return Number.NaN
  let value = 0
  for (let i = 0; i < groups; i++) value = value * 10_000 + readInt16(bytes, start + 8 + 2 * i)
  if (value > Number.MAX_SAFE_INTEGER) return Number.NaN
  const exponent = 4 * (readInt16(bytes, start + 2) - groups + 1) + scale
  if (exponent < 0) {
    const divisor = 10 ** -exponent
    if (exponent < -EXPONENT_EXACT || value % divisor !== 0) return Number.NaN
    value /= divisor
  } else if (exponent > 0) {
    if (exponent > EXPONENT_EXACT) return Number.NaN
    value *= 10 ** exponent
  }
  return sign === NEGATIVE ? -value : value
}

function unscaledOf(bytes: Buffer, start: number, scale: number): bigint | Fault {
  const groups = readInt16(bytes, start)
  const sign = readInt16(bytes, start + 4)
  if (sign !== 0 && sign !== NEGATIVE) return NOT_FINITE
  let value = 0n
  for (let i = 0; i < groups; i++) value = value * 10_000n + BigInt(readInt16(bytes, start + 8 + 2 * i))
  const exponent = 4 * (readInt16(bytes, start + 2) - groups + 1) + scale
  if (exponent >= 0) value *= 10n ** BigInt(exponent)
  else {
    const divisor = 10n ** BigInt(-exponent)
    if (value % divisor !== 0n) return TOO_PRECISE
    value /= divisor
  }
  return sign === NEGATIVE ? -value : value
}
