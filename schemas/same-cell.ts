import type { Cell } from './delta-types.ts'

/** Whether two cells of one type hold the same value: -0 is not 0, and a NaN is the same as any NaN. */
export function isSameCell(a: Cell, b: Cell): boolean {
  if (Object.is(a, b)) return true
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  return a.every((cell, i) => isSameCell(cell as Cell, b[i] as Cell))
}
