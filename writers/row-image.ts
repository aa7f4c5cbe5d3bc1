import type { Column, RowImage } from '../schemas/change-event.ts'
import { type Cell, type DeltaType, UNAVAILABLE } from '../schemas/delta-types.ts'
import { commonType, isSameType, widening } from '../schemas/evolution.ts'
import { isSamePackedRow, PackedRow } from '../schemas/packed-rows.ts'
import { isSameCell } from '../schemas/same-cell.ts'

/** Whether a column's value is unknown (unchanged TOAST). */
export function hasGaps(image: RowImage): boolean {
  if (image instanceof PackedRow) return image.hasGaps
  return image.cells.includes(UNAVAILABLE)
}

/**
 * `image` with its gaps filled from `base`, column by column; a gap that `base` does not know stays. A filled column
 * has the type that it has in `base`. The same object when there is nothing to fill.
 */
export function fillGaps(image: RowImage, base: RowImage): RowImage {
  if (!hasGaps(image)) return image
  const { shape } = image
  let columns: Column[] | null = null
  const cells = image.cells.map((cell, i) => {
    if (cell !== UNAVAILABLE) return cell
    const at = base.shape.indexOf.get(shape.columns[i]!.name)
    if (at === undefined) return UNAVAILABLE
    if (!isSameType(shape.columns[i]!.type, base.shape.columns[at]!.type)) {
      columns ??= [...shape.columns]
      columns[i] = base.shape.columns[at]!
    }
    return base.cells[at]!
  })
  return { shape: columns === null ? shape : { ...shape, columns }, cells }
}

/** `image` as if these columns had not been sent. */
export function unsendColumns(image: RowImage, names: readonly string[]): RowImage {
  return withCells(image, names, () => UNAVAILABLE)
}

/** `image` with the gaps in these columns made null. */
export function nullColumns(image: RowImage, names: readonly string[]): RowImage {
  return withCells(image, names, (cell) => (cell === UNAVAILABLE ? null : cell))
}

type KnownOrNot = Cell | typeof UNAVAILABLE

function withCells(
  image: RowImage,
  names: readonly string[],
  change: (cell: KnownOrNot) => KnownOrNot,
): RowImage {
  if (names.length === 0) return image
  const cells = [...image.cells]
  for (const name of names) {
    const at = image.shape.indexOf.get(name)
    if (at !== undefined) cells[at] = change(cells[at]!)
  }
  return { shape: image.shape, cells }
}

/** `image` with every gap left made null, and how many there were. */
export function nullGaps(image: RowImage): { readonly image: RowImage; readonly gaps: number } {
  if (!hasGaps(image)) return { image, gaps: 0 }
  let gaps = 0
  const cells = image.cells.map((cell) => {
    if (cell !== UNAVAILABLE) return cell
    gaps++
    return null
  })
  return { image: { shape: image.shape, cells }, gaps }
}

/**
 * Whether two images hold the same values in the same columns; a column that one lacks counts as null. Types may differ
 * as far as a column widens: an `integer` 7 is a `long` 7, a `decimal(10,2)` 1.50 is a `decimal(12,3)` 1.500.
 */
export function isSameRow(a: RowImage, b: RowImage): boolean {
  if (a.shape === b.shape) {
    if (a instanceof PackedRow && b instanceof PackedRow) return isSamePackedRow(a, b)
    return a.cells.every((cell, i) => isSameKnown(cell, b.cells[i]!))
  }
  return (
    namesOnly(a, b) &&
    namesOnly(b, a) &&
    a.shape.columns.every((column, i) => {
      const at = b.shape.indexOf.get(column.name)
      return (
        at === undefined || isSameValue(column.type, a.cells[i]!, b.shape.columns[at]!.type, b.cells[at]!)
      )
    })
  )
}

/** Whether `a` is null in every column that `b` does not have. */
function namesOnly(a: RowImage, b: RowImage): boolean {
  return a.shape.columns.every((column, i) => b.shape.indexOf.has(column.name) || a.cells[i] === null)
}

function isSameValue(typeOfA: DeltaType, a: KnownOrNot, typeOfB: DeltaType, b: KnownOrNot): boolean {
  if (a === UNAVAILABLE || b === UNAVAILABLE) return false
  const common = commonType(typeOfA, typeOfB)
  return common !== null && isSameCell(widened(typeOfA, a, common), widened(typeOfB, b, common))
}

function widened(from: DeltaType, cell: Cell, to: DeltaType): Cell {
  const widen = widening(from, to)
  return widen === null ? cell : widen(cell)
}

function isSameKnown(a: KnownOrNot, b: KnownOrNot): boolean {
  return a !== UNAVAILABLE && b !== UNAVAILABLE && isSameCell(a, b)
}
