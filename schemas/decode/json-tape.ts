import type { JsonSkeleton } from './json-skeleton.ts'

/** What a token is. Strings tell how their bytes become text; numbers whether they have a fraction or an exponent. */
export const JSON_NULL = 0
export const JSON_FALSE = 1
export const JSON_TRUE = 2
/** `-?digits`. */
export const JSON_INTEGER = 3
/** A number with a fraction or an exponent. */
export const JSON_REAL = 4
/** Printable ASCII without escapes: the bytes are the text. */
export const JSON_ASCII = 5
/** UTF-8 without escapes. */
export const JSON_UTF8 = 6
/** Holds escapes. */
export const JSON_ESCAPED = 7
export const JSON_ARRAY = 8
export const JSON_OBJECT = 9

/** Integers per token on the tape: kind, start, end, link. */
export const STRIDE = 4
const EMPTY = Buffer.alloc(0)

/**
 * A JSON text as a flat list of tokens, in the order of the text: for an object name, value, name, value, …; for an
 * array its elements. Nothing is converted: a number is a place in the bytes, so int64 and decimals stay exact, and a
 * caller that wants bytes (a column builder) never pays for a JavaScript value.
 *
 * The tape is used again for the next text: tokens are valid until then.
 */
export class JsonTape {
  /** The text that was scanned last. */
  bytes: Buffer = EMPTY
  /** The structure that the text shares with others; `null`: it was read without one. */
  skeleton: JsonSkeleton | null = null
  protected tape: Int32Array = new Int32Array(256 * STRIDE)
  /** Index of the next free token. */
  protected count = 0

  kind(token: number): number {
    return this.tape[token * STRIDE]!
  }

  /** First byte: of a string the one after the quote, else that of the token. */
  start(token: number): number {
    return this.tape[token * STRIDE + 1]!
  }

  /** Byte after the last: of a string the closing quote. */
  end(token: number): number {
    return this.tape[token * STRIDE + 2]!
  }

  /** Of a member's name: a hash of its text. */
  nameHash(token: number): number {
    return this.tape[token * STRIDE + 3]!
  }

  /** The token after this one and all that is inside it. */
  next(token: number): number {
    const at = token * STRIDE
    return this.tape[at]! >= JSON_ARRAY ? this.tape[at + 3]! : token + 1
  }

  isString(token: number): boolean {
    const kind = this.kind(token)
    return kind >= JSON_ASCII && kind <= JSON_ESCAPED
  }

  /** Text of a string, or the digits of a number as they were written. */
  text(token: number): string {
    const at = token * STRIDE
    const start = this.tape[at + 1]!
    const end = this.tape[at + 2]!
    switch (this.tape[at]) {
      case JSON_UTF8:
        return this.bytes.toString('utf8', start, end)
      case JSON_ESCAPED:
        return JSON.parse(this.bytes.toString('utf8', start - 1, end + 1)) as string
      default:
        return this.bytes.toString('latin1', start, end)
    }
  }

  /** The JSON text of a value as it was written, quotes included. */
  raw(token: number): Buffer {
    const quote = this.isString(token) ? 1 : 0
    return this.bytes.subarray(this.start(token) - quote, this.end(token) + quote)
  }

  /** Whether a string's text is exactly these bytes (UTF-8). */
  equals(token: number, utf8: Uint8Array): boolean {
    if (this.kind(token) === JSON_ESCAPED) return Buffer.from(this.text(token)).equals(utf8)
    const start = this.start(token)
    if (this.end(token) - start !== utf8.length) return false
    for (let i = 0; i < utf8.length; i++) if (this.bytes[start + i] !== utf8[i]) return false
    return true
  }

  /** The value token of an object's member, by the name's UTF-8, or -1. For few look-ups; a row is walked instead. */
  member(object: number, name: Uint8Array): number {
    const end = this.next(object)
    for (let at = object + 1; at < end; at = this.next(at + 1)) if (this.equals(at, name)) return at + 1
    return -1
  }

  protected push(kind: number, start: number, end: number, link: number): void {
    const at = this.count * STRIDE
    if (at === this.tape.length) {
      const grown = new Int32Array(this.tape.length * 2)
      grown.set(this.tape)
      this.tape = grown
    }
    const tape = this.tape
    tape[at] = kind
    tape[at + 1] = start
    tape[at + 2] = end
    tape[at + 3] = link
    this.count++
  }
}

export const HASH_START = 0x811c9dc5 | 0
export const HASH_PRIME = 0x01000193

/** Hash of a name's UTF-8 text, as `nameHash` tells it. */
export function hashBytes(utf8: Uint8Array): number {
  let hash = HASH_START
  for (let i = 0; i < utf8.length; i++) hash = Math.imul(hash ^ utf8[i]!, HASH_PRIME)
  return hash
}
