import type { RowImage } from '../schemas/change-event.ts'
import { type Cell, UNAVAILABLE } from '../schemas/delta-types.ts'

/** Whether a column's value is unknown (unchanged TOAST). */
export function hasGaps(image: RowImage): boolean {
  return image.cells.includes(UNAVAILABLE)
}

/**
 * `image` with its gaps filled from `base`, column by column; a gap that `base` does not know stays.
 * The same object when there is nothing to fill.
 */
export function fillGaps(image: RowImage, base: RowImage): RowImage {
  if (!hasGaps(image)) return image
  const cells = image.cells.map((cell, i) => {
    if (cell !== UNAVAILABLE) return cell
    const at = base.shape.indexOf.get(image.shape.columns[i]!.name)
    return at === undefined ? UNAVAILABLE : base.cells[at]!
  })
  return { shape: image.shape, cells }
}

/** `image` with every gap left made null, and how many there were. */
export function nullGaps(image: RowImage): { readonly image: RowImage; readonly gaps: number } {
  let gaps = 0
  const cells = image.cells.map((cell) => {
    if (cell !== UNAVAILABLE) return cell
    gaps++
    return null
  })
  return gaps === 0 ? { image, gaps } : { image: { shape: image.shape, cells }, gaps }
}

/** Whether two images hold the same values in the same columns; a column that one lacks counts as null. */
export function isSameRow(a: RowImage, b: RowImage): boolean {
  if (a.shape === b.shape) return a.cells.every((cell, i) => isSameCell(cell, b.cells[i]!))
  return (
    namesOnly(a, b) &&
    namesOnly(b, a) &&
    a.shape.columns.every((column, i) => {
      const at = b.shape.indexOf.get(column.name)
      return isSameCell(a.cells[i]!, at === undefined ? null : b.cells[at]!)
    })
  )
}

/** Whether `a` is null in every column that `b` does not have. */
function namesOnly(a: RowImage, b: RowImage): boolean {
  return a.shape.columns.every((column, i) => b.shape.indexOf.has(column.name) || a.cells[i] === null)
}

function isSameCell(a: Cell | typeof UNAVAILABLE, b: Cell | typeof UNAVAILABLE): boolean {
  if (a === b) return a !== UNAVAILABLE
  if (typeof a === 'number' && typeof b === 'number') return Object.is(a, b)
  if (typeof a !== typeof b && isInteger(a) && isInteger(b)) return BigInt(a) === BigInt(b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  return a.every((cell, i) => isSameCell(cell, b[i]))
}

/** A column that was widened holds `bigint` where an older event has a `number`. */
function isInteger(cell: unknown): cell is number | bigint {
  return typeof cell === 'bigint' || Number.isInteger(cell)
}
