import type { Cell, DecimalType, DeltaType } from './delta-types.ts'

const INTEGERS = ['byte', 'short', 'integer', 'long'] as const

/**
 * The narrowest type that holds every value of both, when a table may hold it in the place of either without a loss:
 * integers widen to longer integers, `float` to `double`, decimals to more digits on either side of the point.
 *
 * @returns `null` when there is none: the change is not a widening
 */
export function commonType(a: DeltaType, b: DeltaType): DeltaType | null {
  if (typeof a === 'string' || typeof b === 'string') return commonPrimitive(a, b)
  if (a.kind === 'decimal' && b.kind === 'decimal') return commonDecimal(a, b)
  if (a.kind === 'array' && b.kind === 'array') {
    const element = commonType(a.element, b.element)
    return element === null ? null : { ...a, element, containsNull: a.containsNull || b.containsNull }
  }
  return isSameType(a, b) ? a : null
}

function commonPrimitive(a: DeltaType, b: DeltaType): DeltaType | null {
  if (a === b) return a
  const [i, j] = [INTEGERS.indexOf(a as 'byte'), INTEGERS.indexOf(b as 'byte')]
  if (i >= 0 && j >= 0) return INTEGERS[Math.max(i, j)]!
  if ((a === 'float' && b === 'double') || (a === 'double' && b === 'float')) return 'double'
  return null
}

function commonDecimal(a: DecimalType, b: DecimalType): DecimalType | null {
  const scale = Math.max(a.scale, b.scale)
  const precision = scale + Math.max(a.precision - a.scale, b.precision - b.scale)
  return precision > 38 ? null : { kind: 'decimal', precision, scale }
}

/** Same values, same storage; names and metadata of nested fields count. */
export function isSameType(a: DeltaType, b: DeltaType): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  switch (a.kind) {
    case 'decimal':
      return b.kind === 'decimal' && a.precision === b.precision && a.scale === b.scale
    case 'array':
      return b.kind === 'array' && isSameType(a.element, b.element)
    case 'map':
      return b.kind === 'map' && isSameType(a.key, b.key) && isSameType(a.value, b.value)
    case 'struct':
      return (
        b.kind === 'struct' &&
        a.fields.length === b.fields.length &&
        a.fields.every((f, i) => f.name === b.fields[i]!.name && isSameType(f.type, b.fields[i]!.type))
      )
  }
}

/** Turns a cell of a narrower type into the wider one; `null` for "leave it as it is". */
export type Widen = ((cell: Cell) => Cell) | null

/** @param to a type that `commonType(from, to)` gives back unchanged */
export function widening(from: DeltaType, to: DeltaType): Widen {
  if (isSameType(from, to)) return null
  if (to === 'long') return (cell) => (cell === null ? null : BigInt(cell as number))
  if (typeof from === 'string' || typeof to === 'string') return null // numbers stay numbers
  if (from.kind === 'decimal' && to.kind === 'decimal') {
    const factor = 10n ** BigInt(to.scale - from.scale)
    return factor === 1n ? null : (cell) => (cell === null ? null : (cell as bigint) * factor)
  }
  if (from.kind === 'array' && to.kind === 'array') {
    const element = widening(from.element, to.element)
    return element === null ? null : (cell) => (cell === null ? null : (cell as readonly Cell[]).map(element))
  }
  return null
}

/** `decimal(10,2)`, `array<long>`: as a person reads it. */
export function typeText(type: DeltaType): string {
  if (typeof type === 'string') return type
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'array':
      return `array<${typeText(type.element)}>`
    case 'map':
      return `map<${typeText(type.key)},${typeText(type.value)}>`
    case 'struct':
      return `struct<${type.fields.map((f) => `${f.name}:${typeText(f.type)}`).join(',')}>`
  }
}
