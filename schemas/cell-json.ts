import { decimalText } from './decimal-text.ts'
import type { Cell, DeltaType, StructField } from './delta-types.ts'
import { dateText, timestampText } from './time-text.ts'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export type JsonObject = { readonly [name: string]: JsonValue }

/**
 * A cell as JSON, without loss (formats.md §0): integers as numbers while those are exact, else as text of their digits;
 * decimals as text with all their digits; dates and times in ISO 8601, six digits of a second, `Z` where the column has a
 * zone; bytes in base64; what JSON has no number for as `"NaN"`, `"Infinity"`, `"-Infinity"`. A struct is an object; so
 * is a map, its keys as text, unless they are nested themselves: then it is a list of `[key, value]`.
 */
export function cellJson(type: DeltaType, cell: Cell): JsonValue {
  if (cell === null) return null
  if (typeof type === 'string') {
    if (type === 'date') return dateText(cell as number)
    if (type === 'timestamp') return `${timestampText(cell as bigint, 'T')}Z`
    if (type === 'timestamp_ntz') return timestampText(cell as bigint, 'T')
    if (type === 'float') return floatJson(shortestFloat(cell as number))
    return primitiveJson(cell)
  }
  const parts = cell as readonly Cell[]
  switch (type.kind) {
    case 'decimal':
      return decimalText(cell as bigint, type.scale)
    case 'array':
      return parts.map((element) => cellJson(type.element, element))
    case 'struct':
      return rowJson(type.fields, parts)
    case 'map': {
      const pairs = (parts as readonly (readonly [Cell, Cell])[]).map(
        ([key, value]) => [cellJson(type.key, key), cellJson(type.value, value)] as const,
      )
      return pairs.some(([key]) => typeof key === 'object') ? pairs : Object.fromEntries(pairs)
    }
    default:
      return type satisfies never
  }
}

/** Several cells as an object, in the order of the fields. */
export function rowJson(
  fields: readonly Pick<StructField, 'name' | 'type'>[],
  cells: readonly Cell[],
): JsonObject {
  return Object.fromEntries(fields.map(({ name, type }, i) => [name, cellJson(type, cells[i]!)]))
}

/** A number where that is exact, else the digits as text. */
export function integerJson(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

/** A cell for the eyes of a person: `NULL`, a text as it is, all else as in its JSON. */
export function cellText(type: DeltaType, cell: Cell): string {
  if (cell === null) return 'NULL'
  const json = cellJson(type, cell)
  return typeof json === 'string' ? json : JSON.stringify(json)
}

function primitiveJson(cell: Cell): JsonValue {
  if (typeof cell === 'bigint') return integerJson(cell)
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString('base64')
  return typeof cell === 'number' ? floatJson(cell) : (cell as boolean | string)
}

/** JSON has no NaN and no infinities: Debezium writes them as these texts too. */
function floatJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** The number with the fewest digits that is the same 32-bit float: `0.1`, not `0.10000000149011612`. */
function shortestFloat(value: number): number {
  for (let digits = 6; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === value) return rounded
  }
  return value
}
