/**
 * Order of two strings by their UTF-8 bytes, which is the order object stores list in. It differs from JavaScript's
 * own (UTF-16 units) only where a character beyond U+FFFF meets one from U+E000 to U+FFFF.
 *
 * @returns negative, zero or positive
 */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Moves surrogates (halves of characters beyond U+FFFF) above all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
