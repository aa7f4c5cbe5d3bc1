const PAD = 0x3d

/** Value of each character of the standard alphabet, 255 for all others. */
const VALUES = new Uint8Array(256).fill(255)
for (const [value, char] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
].entries()) {
  VALUES[char.charCodeAt(0)] = value
}

/**
 * Decodes `[start, end)` of a text, strictly: whole groups of four, padding only at the end, no unused bits set, no
 * blanks, not the URL-safe alphabet. (`Buffer.from` skips what it does not know.)
 *
 * @returns `null` when it is not base64
 */
export function decodeBase64(text: Uint8Array, start: number, end: number): Uint8Array | null {
  const length = end - start
  if (length % 4 !== 0) return null
  if (length === 0) return new Uint8Array(0)
  const padding = text[end - 1] !== PAD ? 0 : text[end - 2] !== PAD ? 1 : 2
  const bytes = new Uint8Array((length / 4) * 3 - padding)
  let at = 0
  const lastGroup = end - 4
  for (let i = start; i < end; i += 4) {
    const isShort = padding > 0 && i === lastGroup
    const a = VALUES[text[i]!]!
    const b = VALUES[text[i + 1]!]!
    const c = isShort && padding === 2 ? 0 : VALUES[text[i + 2]!]!
    const d = isShort ? 0 : VALUES[text[i + 3]!]!
    if ((a | b | c | d) > 63) return null
    const group = (a << 18) | (b << 12) | (c << 6) | d
    if (isShort && (padding === 1 ? group & 0xff : group & 0xffff) !== 0) return null
    bytes[at++] = group >> 16
    if (at < bytes.length) bytes[at++] = group >> 8
    if (at < bytes.length) bytes[at++] = group
  }
  return bytes
}

/**
 * The signed big-endian integer that `[start, end)` holds, of one to six bytes; no array is made.
 *
 * @returns NaN when it is longer, empty, or not base64
 */
export function decodeBase64Integer(text: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length % 4 !== 0 || length === 0 || length > 8) return Number.NaN
  const padding = text[end - 1] !== PAD ? 0 : text[end - 2] !== PAD ? 1 : 2
  let value = 0
  for (let i = start; i < end - padding; i++) {
    const six = VALUES[text[i]!]!
    if (six > 63) return Number.NaN
    value = value * 64 + six
  }
  // The bits that fill up the last character are no part of the value, and are zero.
  const unused = padding === 2 ? 16 : padding === 1 ? 4 : 1
  if (value % unused !== 0) return Number.NaN
  value /= unused
  const bits = ((length / 4) * 3 - padding) * 8
  return value >= 2 ** (bits - 1) ? value - 2 ** bits : value
}
