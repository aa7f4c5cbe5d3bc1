import { assert } from '../../core/assert.ts'

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

/** Digit by character code; 85 where the character is none. */
const DIGITS = new Uint8Array(128).fill(85)
for (let digit = 0; digit < 85; digit++) DIGITS[ALPHABET.charCodeAt(digit)] = digit

/**
 * Z85 text: four bytes, big endian, become five digits, most significant first.
 *
 * @param bytes a multiple of four
 */
export function encodeZ85(bytes: Uint8Array): string {
  assert(bytes.length % 4 === 0, 'Z85 takes whole groups of four bytes')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    let value = view.getUint32(at)
    let group = ''
    for (let digit = 0; digit < 5; digit++) {
      group = ALPHABET[value % 85] + group
      value = Math.floor(value / 85)
    }
    text += group
  }
  return text
}

/** @returns `undefined` when the text is not Z85 */
export function decodeZ85(text: string): Uint8Array | undefined {
  if (text.length % 5 !== 0) return undefined
  const bytes = new Uint8Array((text.length / 5) * 4)
  const view = new DataView(bytes.buffer)
  for (let group = 0; group < text.length / 5; group++) {
    let value = 0
    for (let at = group * 5; at < group * 5 + 5; at++) {
      const digit = DIGITS[text.charCodeAt(at)] ?? 85
      if (digit === 85) return undefined
      value = value * 85 + digit
    }
    if (value > 0xffffffff) return undefined
    view.setUint32(group * 4, value)
  }
  return bytes
}
