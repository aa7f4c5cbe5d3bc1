import { assert } from '../core/assert.ts'
import { EngineError } from '../core/errors.ts'
import type { Cell, DeltaType } from './delta-types.ts'
import { typeText } from './evolution.ts'
import { dateText, parseDate, parseTimestamp, timestampText } from './time-text.ts'

/**
 * A cell as the text of a partition value in the log. `null` and the empty string are both null there: an empty
 * string in a partition column is lost by definition.
 *
 * @throws EngineError `E_PARTITION_TYPE` (usage) for types that make no sensible partition: binary and nested ones
 * @see PROTOCOL.md "Partition Value Serialization"; delta-protocol §8.1
 */
export function partitionText(type: DeltaType, cell: Cell): string | null {
  if (cell === null || cell === '') return null
  if (typeof type !== 'string') {
    if (type.kind === 'decimal') return decimalText(cell as bigint, type.scale)
    throw unfit(type)
  }
  switch (type) {
    case 'date':
      return dateText(cell as number)
    case 'timestamp':
      return `${timestampText(cell as bigint, 'T')}Z`
    case 'timestamp_ntz':
      return timestampText(cell as bigint, ' ')
    case 'binary':
      throw unfit(type)
    default:
      return Object.is(cell, -0) ? '0.0' : String(cell)
  }
}

/** The cell that a partition value stands for. */
export function partitionCell(type: DeltaType, text: string | null): Cell {
  if (text === null || text === '') return null
  if (typeof type !== 'string') {
    assert(type.kind === 'decimal', 'only decimals among the parameterised types make partitions')
    const [whole, fraction = ''] = text.split('.')
    return BigInt(whole + fraction.padEnd(type.scale, '0')) // written when the column had fewer digits after the point
  }
  switch (type) {
    case 'boolean':
      return text === 'true'
    case 'long':
      return BigInt(text)
    case 'byte':
    case 'short':
    case 'integer':
    case 'float':
    case 'double':
      return Number(text)
    case 'date':
      return parseDate(text)
    case 'timestamp':
    case 'timestamp_ntz':
      return parseTimestamp(text)
    case 'string':
    case 'binary':
      return text
  }
}

/** Exactly `scale` digits after the point, a digit before it, no exponent: strict readers ask for it. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function unfit(type: DeltaType): EngineError {
  return new EngineError(
    'E_PARTITION_TYPE',
    'usage',
    `a table cannot be partitioned by a column of type ${typeText(type)}; choose another in tables.<name>.partitionBy`,
  )
}
