import { assert } from '../../core/assert.ts'
import type { Cell, DeltaType } from '../../schemas/delta-types.ts'
import type { LeafStatistics } from '../parquet/leaf-statistics.ts'
import { memberSpan, withMember } from './json-span.ts'

/** Longer strings are cut to this many UTF-16 units. */
const STRING_PREFIX = 32
const MS_PER_DAY = 86_400_000
/** 0001-01-01 and 9999-12-31: what readers can parse; a bound outside is left out. */
const FIRST_DAY = -719_162
const LAST_DAY = 2_932_896

type Side = 'min' | 'max'

/**
 * `add.stats` of a data file, as JSON text. Numbers go from cell to text and never through another number.
 *
 * @param leaves in schema order
 * @param columns which leaves get statistics: `statisticsColumns` of the table
 * @see delta-protocol §7; PROTOCOL.md "Per-file Statistics"
 */
export function encodeStatistics(
  rowCount: number,
  leaves: readonly LeafStatistics[],
  columns: number | readonly string[],
): string {
  const chosen = chooseLeaves(leaves, columns)
  const nullCounts = nest(chosen, 0, (leaf) => String(leaf.nullCount))
  return (
    `{"numRecords":${rowCount},"minValues":${nest(chosen, 0, (leaf) => boundText(leaf, 'min')) ?? '{}'},` +
    `"maxValues":${nest(chosen, 0, (leaf) => boundText(leaf, 'max')) ?? '{}'},"nullCount":${nullCounts ?? '{}'}}`
  )
}

/**
 * The statistics of a file that gets a deletion vector: bounds stay true but may now be wider than the rows, which is
 * said by `tightBounds`; all else stays, character for character.
 *
 * @param stats JSON text of whoever wrote the file
 * @see delta-protocol §5 duty 2
 */
export function widenBounds(stats: string): string {
  return withMember(stats, 'tightBounds', 'false')
}

/** Physical rows of a file, deleted ones among them. @returns `undefined` when its statistics do not say */
export function numRecordsOf(stats: string | undefined): number | undefined {
  if (stats === undefined) return undefined
  const span = memberSpan(stats, 'numRecords')
  if (span === undefined) return undefined
  const count = Number(stats.slice(span.start, span.end))
  return Number.isSafeInteger(count) ? count : undefined
}

function chooseLeaves(
  leaves: readonly LeafStatistics[],
  columns: number | readonly string[],
): readonly LeafStatistics[] {
  if (typeof columns === 'number') return columns < 0 ? leaves : leaves.slice(0, columns)
  return leaves.filter(({ path }) => {
    const name = path.join('.')
    return columns.some((column) => name === column || name.startsWith(`${column}.`))
  })
}

/**
 * An object that nests as the schema does; leaves without a text, and structs without such a leaf, are left out.
 *
 * @param leaves that share the first `depth` names of their paths
 */
function nest(
  leaves: readonly LeafStatistics[],
  depth: number,
  textOf: (leaf: LeafStatistics) => string | undefined,
): string | undefined {
  const members: string[] = []
  for (let at = 0; at < leaves.length; ) {
    const first = leaves[at]!
    const name = first.path[depth]!
    let end = at + 1
    while (end < leaves.length && leaves[end]!.path[depth] === name) end++
    const isLeaf = first.path.length === depth + 1
    const text = isLeaf ? textOf(first) : nest(leaves.slice(at, end), depth + 1, textOf)
    if (text !== undefined) members.push(`${JSON.stringify(name)}:${text}`)
    at = end
  }
  return members.length === 0 ? undefined : `{${members.join(',')}}`
}

function boundText(leaf: LeafStatistics, side: Side): string | undefined {
  const cell = side === 'min' ? leaf.min : leaf.max
  if (cell === undefined || cell === null || leaf.hasNaN) return undefined
  return cellText(leaf.type, cell, side)
}

/** @returns `undefined` for types without bounds and for values that JSON or readers cannot hold */
function cellText(type: DeltaType, cell: Cell, side: Side): string | undefined {
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? decimalText(cell as bigint, type.scale) : undefined
  switch (type) {
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return String(cell)
    case 'float':
    case 'double':
      return floatText(cell as number, side)
    case 'string':
      return stringText(cell as string, side)
    case 'date':
      return dateText(cell as number)
    case 'timestamp':
      return timestampText(cell as bigint, side, 'Z')
    case 'timestamp_ntz':
      return timestampText(cell as bigint, side, '')
    case 'boolean':
    case 'binary':
      return undefined
    default:
      return type satisfies never
  }
}

function stringText(text: string, side: Side): string | undefined {
  const bound = side === 'min' ? truncatedMin(text) : truncatedMax(text)
  return bound === undefined ? undefined : JSON.stringify(bound)
}

/** A prefix is never above its string. */
export function truncatedMin(text: string): string {
  return text.slice(0, prefixEnd(text))
}

/**
 * A string that is not below any with the same start: the prefix and a character above the first one dropped.
 *
 * @returns `undefined` when no short bound exists
 * @see delta-protocol §7; delta#3222: a string of exactly the prefix's length stays as it is
 */
export function truncatedMax(text: string): string | undefined {
  if (text.length <= STRING_PREFIX) return text
  for (let end = prefixEnd(text); end <= 2 * STRING_PREFIX; ) {
    if (end >= text.length) return text
    const dropped = text.codePointAt(end)!
    if (dropped < 0x7f) return `${text.slice(0, end)}\u007f`
    if (dropped < 0x10ffff) return `${text.slice(0, end)}\u{10ffff}`
    end += 2
  }
  return undefined
}

/** Where the prefix ends: a surrogate pair is never split. */
function prefixEnd(text: string): number {
  if (text.length <= STRING_PREFIX) return text.length
  const last = text.charCodeAt(STRING_PREFIX - 1)
  return last >= 0xd800 && last <= 0xdbff ? STRING_PREFIX - 1 : STRING_PREFIX
}

/** Zero is written with the sign that bounds both zeros; infinities have no JSON number, and an absent bound is true. */
function floatText(value: number, side: Side): string | undefined {
  if (!Number.isFinite(value)) return undefined
  if (value === 0) return side === 'min' ? '-0.0' : '0.0'
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function dateText(days: number): string | undefined {
  if (days < FIRST_DAY || days > LAST_DAY) return undefined
  return `"${new Date(days * MS_PER_DAY).toISOString().slice(0, 10)}"`
}

/**
 * Milliseconds are all that readers agree on: the lower bound is rounded down, the upper bound up (toward minus and plus
 * infinity, also before 1970).
 */
function timestampText(micros: bigint, side: Side, suffix: string): string | undefined {
  const rest = modulo(micros, 1000n)
  const ms = Number((micros - rest) / 1000n)
  const rounded = side === 'max' && rest !== 0n ? ms + 1 : ms
  if (rounded < FIRST_DAY * MS_PER_DAY || rounded >= (LAST_DAY + 1) * MS_PER_DAY) return undefined
  const text = new Date(rounded).toISOString()
  assert(text.length === 24, 'years outside of 1 to 9999 have no bound')
  return `"${text.slice(0, -1)}${suffix}"`
}

/** Never negative, unlike `%`. */
function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by
}
