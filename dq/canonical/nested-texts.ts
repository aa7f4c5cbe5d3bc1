import { compareUtf8 } from '../../core/utf8-order.ts'
import type { Cell, DeltaType } from '../../schemas/delta-types.ts'
import type { CanonicalText, NonNullCell } from './canonical-text.ts'
import { lengthPrefixed, lengthPrefixedSql, parseLengthPrefixed } from './length-prefix.ts'
import { doubleHex, doubleOfHex } from './number-texts.ts'

/** `A`, the count, and the elements one after the other, each with its length. */
export function arrayText(element: CanonicalText): CanonicalText {
  const sql = (value: string) =>
    `CASE WHEN ${value} IS NOT NULL THEN 'A' || cardinality(${value}) || ':' || coalesce((
      SELECT string_agg(${lengthPrefixedSql('e.t')}, '' ORDER BY e.o)
        FROM (SELECT ${element.sql('u.x')} AS t, u.o FROM unnest(${value}) WITH ORDINALITY u(x, o) OFFSET 0) e), '') END`
  const text = (cell: NonNullCell) => {
    const cells = cell as readonly Cell[]
    return `A${cells.length}:${cells.map((each) => lengthPrefixed(element, each)).join('')}`
  }
  const cell = (each: string) => {
    const elements = parseLengthPrefixed(each.slice(each.indexOf(':') + 1))
    return elements.map((one) => (one === null ? null : element.cell(one)))
  }
  const { isAscii, loss, isOneToOne } = element
  return { isAscii, loss, isOneToOne, sql, text, cell }
}

/** Its two numbers. */
export function pointText(delta: DeltaType): CanonicalText | null {
  const isPoint =
    typeof delta !== 'string' &&
    delta.kind === 'struct' &&
    delta.fields.length === 2 &&
    delta.fields.every(({ type }) => type === 'double')
  if (!isPoint) return null
  const part = (value: string, i: number) =>
    `CASE WHEN (${value})[${i}] = 'NaN' THEN 'NaN' ELSE encode(float8send((${value})[${i}]), 'hex') END`
  return {
    isAscii: true,
    loss: null,
    sql: (value) => `${part(value, 0)} || ${part(value, 1)}`,
    text: (cell) => (cell as readonly Cell[]).map((each) => doubleHex(each!)).join(''),
    cell: (text) => [...text.matchAll(/NaN|[0-9a-f]{16}/g)].map(([each]) => doubleOfHex(each)),
    isOneToOne: true,
  }
}

/**
 * Keys in the order of their bytes, each followed by its value. In a cell they stand as Postgres keeps them: shorter ones first.
 *
 * @param prefix of the schema that hstore lies in
 */
export function hstoreText(prefix: string, delta: DeltaType): CanonicalText | null {
  const pairsOf = hstorePairs(delta)
  if (pairsOf === null) return null
  const sql = (value: string) =>
    `CASE WHEN ${value} IS NOT NULL THEN coalesce((
      SELECT string_agg(${lengthPrefixedSql('p.key')} || ${lengthPrefixedSql('p.value')}, '' ORDER BY p.key COLLATE "C")
        FROM ${prefix}each(${value}) p), '') END`
  const text = (cell: NonNullCell) =>
    [...pairsOf(cell)]
      .sort(([a], [b]) => compareUtf8(a, b))
      .map((pair) => pair.map((each) => lengthPrefixed(TEXT, each)).join(''))
      .join('')
  const cell = (each: string) => {
    const texts = parseLengthPrefixed(each)
    const pairs = Array.from(
      { length: texts.length / 2 },
      (_, i) => [texts[2 * i]!, texts[2 * i + 1]!] as const,
    ).sort(([a], [b]) => Buffer.byteLength(a) - Buffer.byteLength(b) || compareUtf8(a, b))
    return delta === 'string' ? JSON.stringify(Object.fromEntries(pairs)) : pairs
  }
  return { isAscii: false, loss: null, isOneToOne: false, sql, text, cell }
}

const TEXT = { isAscii: false, text: (cell: NonNullCell) => cell as string } as const

type Pairs = readonly (readonly [string, string | null])[]

/** A map, or the JSON that `hstore.handling.mode=json` delivers. */
function hstorePairs(delta: DeltaType): ((cell: NonNullCell) => Pairs) | null {
  if (delta === 'string') return (cell) => jsonPairs(cell as string)
  const isMap =
    typeof delta !== 'string' && delta.kind === 'map' && delta.key === 'string' && delta.value === 'string'
  return isMap ? (cell) => cell as Pairs : null
}

/** A text that is no such JSON stays itself, and equals no hstore. */
function jsonPairs(text: string): Pairs {
  try {
    return Object.entries(JSON.parse(text) as Record<string, string | null>)
  } catch {
    return [[text, null]]
  }
}
