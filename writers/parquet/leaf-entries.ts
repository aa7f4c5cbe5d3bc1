import type { Cell } from '../../schemas/delta-types.ts'
import type { StoredValues } from './cell-conversion.ts'
import type { DecodedPage } from './decode-pages.ts'
import type { LeafSource } from './read-tree.ts'

/** Rows of a row group to read, ascending; `null` means all of them. */
export type RowSelection = ArrayLike<number> | null

/** The entries of one leaf that belong to the selected rows, and how far they have been used up. */
export interface LeafEntries {
  readonly reps: readonly number[]
  readonly defs: readonly number[]
  /** Cells of the entries that have a value. */
  readonly values: readonly Cell[]
  entry: number
  value: number
}

/** Cells of a top-level column without repetition: an entry is a row. */
export function flatCells(leaf: LeafSource, pages: readonly DecodedPage[], rows: RowSelection): Cell[] {
  const cellOf = cellReader(leaf)
  const cells: Cell[] = []
  let pageRow = 0
  let next = 0
  for (const page of pages) {
    pageRow = page.firstRow ?? pageRow
    const { defs, entryCount } = page
    if (defs === null) {
      if (rows === null) for (let i = 0; i < entryCount; i++) cells.push(cellOf(page, i))
      else
        while (next < rows.length && rows[next]! < pageRow + entryCount)
          cells.push(cellOf(page, rows[next++]! - pageRow))
    } else {
      let value = 0
      for (let i = 0; i < entryCount; i++) {
        const hasValue = defs[i] === leaf.maxDef
        if (rows === null || rows[next] === pageRow + i) {
          cells.push(hasValue ? cellOf(page, value) : null)
          next++
        }
        if (hasValue) value++
      }
    }
    pageRow += entryCount
  }
  return cells
}

/** Entries of a leaf below other columns, for `readCell`. */
export function selectEntries(
  leaf: LeafSource,
  pages: readonly DecodedPage[],
  rows: RowSelection,
): LeafEntries {
  const cellOf = cellReader(leaf)
  const reps: number[] = []
  const defs: number[] = []
  const values: Cell[] = []
  let row = -1
  let next = 0
  for (const page of pages) {
    if (page.firstRow !== null) row = page.firstRow - 1
    let value = 0
    for (let i = 0; i < page.entryCount; i++) {
      const rep = page.reps === null ? 0 : page.reps[i]!
      const def = page.defs === null ? leaf.maxDef : page.defs[i]!
      if (rep === 0) {
        row++
        while (rows !== null && next < rows.length && rows[next]! < row) next++
      }
      if (rows === null || rows[next] === row) {
        reps.push(rep)
        defs.push(def)
        if (def === leaf.maxDef) values.push(cellOf(page, value))
      }
      if (def === leaf.maxDef) value++
    }
  }
  return { reps, defs, values, entry: 0, value: 0 }
}

/** Converts each entry of a dictionary once, and only those that are asked for. */
function cellReader(leaf: LeafSource): (page: DecodedPage, index: number) => Cell {
  const convert = (leaf.conversion ?? (() => null)) as (values: StoredValues, index: number) => Cell
  let dictionary: StoredValues | null = null
  let converted: (Cell | undefined)[] = []
  return ({ values, codes }, index) => {
    if (codes === null) return convert(values, index)
    if (values !== dictionary) {
      dictionary = values
      converted = new Array(dictionary.length)
    }
    const code = codes[index]!
    const known = converted[code]
    if (known !== undefined) return known
    const cell = convert(values, code)
    converted[code] = cell
    return cell
  }
}
