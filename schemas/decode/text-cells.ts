import { decodeBase64 } from './base64.ts'
import { JSON_ASCII, type JsonTape } from './json-tape.ts'
import type { CellDecoder } from './number-cells.ts'
import { Fault } from './undecodable-reasons.ts'

const NOT_TEXT = new Fault('BAD_TEXT', 'is not text')
const NOT_BASE64 = new Fault('BAD_BASE64', 'is not base64')
const NOT_BITS = new Fault('BAD_BITS', 'is not a bit string in base64')
const TOO_MANY_BITS = new Fault('BAD_BITS', 'has more bits than its type')

/** Text as it was sent: no normal form, no trimming. */
export function textCell(json: JsonTape, token: number): string | Fault {
  return json.isString(token) ? json.text(token) : NOT_TEXT
}

export function binaryCell(json: JsonTape, token: number): Uint8Array | Fault {
  if (json.kind(token) !== JSON_ASCII) return NOT_BASE64
  return decodeBase64(json.bytes, json.start(token), json.end(token)) ?? NOT_BASE64
}

/**
 * A bit string as `0` and `1`. Its bytes are little-endian and its leading zero bits are not sent: they are put back
 * where the length is fixed, and stay lost where it is not (`varbit`).
 */
export function bitsCell(length: number | null): CellDecoder {
  return (json, token) => {
    if (json.kind(token) !== JSON_ASCII) return NOT_BITS
    const bytes = decodeBase64(json.bytes, json.start(token), json.end(token))
    if (bytes === null) return NOT_BITS
    let bits = ''
    for (const byte of bytes) bits = byte.toString(2).padStart(8, '0') + bits
    const trimmed = bits.replace(/^0+/, '')
    if (length === null) return trimmed
    return trimmed.length > length ? TOO_MANY_BITS : trimmed.padStart(length, '0')
  }
}
