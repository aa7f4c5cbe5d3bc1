import { type CanonicalCell, type CanonicalRow, rowText } from '../support/canonical-row.ts'

/** One way in which the lake differs from the source; written so that a list of them reads as a list of facts. */
export type Difference =
  | {
      readonly key: CanonicalRow
      readonly column: string
      readonly source: CanonicalCell
      readonly lake: CanonicalCell
    }
  | { readonly key: CanonicalRow; readonly onlyIn: 'source' | 'lake' }

/**
 * Compares what the lake holds with what the source holds, on the given columns.
 *
 * @param key empty: both are bags of rows, and the whole row is its key
 */
export function compareRows(
  source: readonly CanonicalRow[],
  lake: readonly CanonicalRow[],
  key: readonly string[],
  columns: readonly string[],
): Difference[] {
  const identity = key.length > 0 ? key : columns
  const unmatched = new Map<string, CanonicalRow[]>()
  for (const row of lake) {
    const id = rowText(row, identity)
    unmatched.set(id, [...(unmatched.get(id) ?? []), row])
  }
  const differences: Difference[] = []
  for (const row of source) {
    const twin = unmatched.get(rowText(row, identity))?.shift()
    if (twin === undefined) differences.push({ key: pick(row, identity), onlyIn: 'source' })
    else differences.push(...cellDifferences(row, twin, identity, columns))
  }
  const extra = [...unmatched.values()].flat()
  return [...differences, ...extra.map((row) => ({ key: pick(row, identity), onlyIn: 'lake' as const }))]
}

function cellDifferences(
  source: CanonicalRow,
  lake: CanonicalRow,
  identity: readonly string[],
  columns: readonly string[],
): Difference[] {
  return columns
    .filter((column) => rowText(source, [column]) !== rowText(lake, [column]))
    .map((column) => ({
      key: pick(source, identity),
      column,
      source: source[column] ?? null,
      lake: lake[column] ?? null,
    }))
}

function pick(row: CanonicalRow, columns: readonly string[]): CanonicalRow {
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]))
}
