import { isUtf8 } from 'node:buffer'
import { type JsonSkeleton, JsonSkeletons } from './json-skeleton.ts'
import {
  HASH_PRIME,
  HASH_START,
  hashBytes,
  JSON_ARRAY,
  JSON_ASCII,
  JSON_ESCAPED,
  JSON_FALSE,
  JSON_INTEGER,
  JSON_NULL,
  JSON_OBJECT,
  JSON_REAL,
  JSON_TRUE,
  JSON_UTF8,
  JsonTape,
  STRIDE,
} from './json-tape.ts'

/** Why bytes are not one strict JSON value. */
export type JsonFault = 'BAD_JSON' | 'BAD_UTF8' | 'DUPLICATE_MEMBER' | 'TOO_DEEP'

/** Containers inside containers; more is refused, whatever the size. */
export const JSON_DEPTH_MAX = 500

/**
 * A strict, lossless JSON reader over UTF-8 bytes.
 *
 * One pass over the text writes its tape; there is no recursion.
 *
 * Refused: anything outside RFC 8259, members of equal name in one object (also when one is written with escapes),
 * a byte order mark, invalid or overlong UTF-8, escapes of lone surrogates, more than `JSON_DEPTH_MAX` containers
 * inside one another.
 */
export class JsonScanner extends JsonTape {
  #pos = 0
  #end = 0
  #open = new Int32Array(JSON_DEPTH_MAX)
  #depth = 0
  #fault: JsonFault = 'BAD_JSON'
  #hashes = new Int32Array(64)
  readonly #skeletons = new JsonSkeletons()
  /** Of all that lies where the text does: texts of a batch mostly lie together. */
  #view: DataView = new DataView(new ArrayBuffer(0))
  /** The tape of texts that fit no skeleton. */
  #ownTape = this.tape

  /**
   * Scans a whole text of one value; token 0 is its root.
   *
   * @returns `null`, or why it is refused
   */
  scan(bytes: Buffer): JsonFault | null {
    return this.#scanFrom(bytes, 0, false)
  }

  /**
   * Scans the last member's value of an object whose text before it is already known to be good:
   * `bytes` from `from` on hold one value and the closing brace. Token 0 is the value.
   */
  scanLastMember(bytes: Buffer, from: number): JsonFault | null {
    return this.#scanFrom(bytes, from, true)
  }

  #scanFrom(bytes: Buffer, from: number, inObject: boolean): JsonFault | null {
    this.bytes = bytes
    this.#end = bytes.length
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer)
    const { known } = this.#skeletons
    for (let i = 0; i < known.length; i++) {
      if (known[i]!.isLastMember !== inObject || !this.#scanAlong(known[i]!, from)) continue
      this.skeleton = known[i]!
      this.#skeletons.fitted(i, this, from)
      return null
    }
    this.skeleton = null
    this.tape = this.#ownTape
    const fault = this.#scanWhole(bytes, from, inObject)
    this.#ownTape = this.tape
    if (fault === null) this.#skeletons.learn(this, this.count, from, inObject)
    return fault
  }

  /** Whether the text has this structure, with one value in each of its slots. */
  #scanAlong(skeleton: JsonSkeleton, from: number): boolean {
    const { bytes } = this
    const { slots, tape } = skeleton
    const view = this.#view
    const textAt = bytes.byteOffset
    const end = this.#end
    this.tape = tape
    let at = skeleton.follow(0, view, textAt, end, from)
    let isAscii = true
    for (let i = 0; i < slots.length; i++) {
      if (at < 0) return false
      this.#pos = at
      this.count = slots[i]!
      if (!this.#scalar(bytes[at])) return false
      const kind = tape[slots[i]! * STRIDE]!
      if (kind === JSON_UTF8 || kind === JSON_ESCAPED) isAscii = false
      at = skeleton.follow(i + 1, view, textAt, end, this.#pos)
    }
    this.count = skeleton.count
    return at === end && (isAscii || isUtf8(from === 0 ? bytes : bytes.subarray(from)))
  }

  #scanWhole(bytes: Buffer, from: number, inObject: boolean): JsonFault | null {
    this.#pos = from
    this.count = 0
    this.#depth = 0
    this.#fault = 'BAD_JSON'
    if (!isUtf8(from === 0 ? bytes : bytes.subarray(from))) return 'BAD_UTF8'
    if (!this.#value()) return this.#fault
    if (inObject) {
      if (this.#afterSpace() !== 0x7d) return 'BAD_JSON'
      this.#pos++
    }
    return this.#afterSpace() === -1 ? null : 'BAD_JSON'
  }

  /** One value with all that is inside it. */
  #value(): boolean {
    for (;;) {
      const c = this.#afterSpace()
      if (c === 0x7b || c === 0x5b) {
        if (!this.#openContainer(c)) return false
        if (this.#afterSpace() !== c + 2) {
          if (c === 0x7b && !this.#name()) return false
          continue
        }
      } else if (!this.#scalar(c)) return false

      // A value has ended: close what ends with it, then go on with the next one, if any.
      for (;;) {
        if (this.#depth === 0) return true
        const open = this.#open[this.#depth - 1]!
        const isObject = this.tape[open * STRIDE] === JSON_OBJECT
        const after = this.#afterSpace()
        if (after === 0x2c) {
          this.#pos++
          if (isObject && !this.#name()) return false
          break
        }
        if (after !== (isObject ? 0x7d : 0x5d)) return false
        this.#pos++
        if (!this.#closeContainer(open, isObject)) return false
      }
    }
  }

  /** A value that is no container and begins with `c`. */
  #scalar(c: number | undefined): boolean {
    if (c === 0x22) return this.#string()
    if (c === 0x2d || (c! >= 0x30 && c! <= 0x39)) return this.#number(c!)
    return this.#literal(c!)
  }

  /** Skips blanks. @returns the byte there, or -1 at the end */
  #afterSpace(): number {
    const { bytes } = this
    let pos = this.#pos
    while (pos < this.#end) {
      const c = bytes[pos]!
      if (c > 0x20 || (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09)) {
        this.#pos = pos
        return c
      }
      pos++
    }
    this.#pos = pos
    return -1
  }

  #openContainer(c: number): boolean {
    if (this.#depth === JSON_DEPTH_MAX) return this.#refuse('TOO_DEEP')
    this.#open[this.#depth++] = this.count
    this.push(c === 0x7b ? JSON_OBJECT : JSON_ARRAY, this.#pos, 0, 0)
    this.#pos++
    return true
  }

  #closeContainer(open: number, isObject: boolean): boolean {
    this.#depth--
    const at = open * STRIDE
    this.tape[at + 2] = this.#pos
    this.tape[at + 3] = this.count
    return !isObject || !this.#hasDuplicate(open) || this.#refuse('DUPLICATE_MEMBER')
  }

  /** A member's name and its colon. */
  #name(): boolean {
    if (this.#afterSpace() !== 0x22) return false
    const { bytes } = this
    const end = this.#end
    const start = this.#pos + 1
    let pos = start
    let hash = HASH_START
    // Most names are plain ASCII: their hash is made on the way.
    while (pos < end) {
      const c = bytes[pos]!
      if (c === 0x22 || c === 0x5c || c < 0x20 || c > 0x7f) break
      hash = Math.imul(hash ^ c, HASH_PRIME)
      pos++
    }
    if (pos < end && bytes[pos] === 0x22) {
      this.#pos = pos + 1
      this.push(JSON_ASCII, start, pos, hash)
    } else {
      const token = this.count
      if (!this.#string()) return false
      const utf8 = Buffer.from(this.text(token))
      this.tape[token * STRIDE + 3] = hashBytes(utf8)
    }
    if (this.#afterSpace() !== 0x3a) return false
    this.#pos++
    return true
  }

  #string(): boolean {
    const { bytes } = this
    const end = this.#end
    const start = this.#pos + 1
    let pos = start
    let bits = 0
    let escaped = false
    while (pos < end) {
      const c = bytes[pos]!
      if (c === 0x22) {
        this.#pos = pos + 1
        this.push(escaped ? JSON_ESCAPED : bits > 0x7f ? JSON_UTF8 : JSON_ASCII, start, pos, 0)
        return true
      }
      if (c < 0x20) return false
      if (c === 0x5c) {
        const length = this.#escapeLength(pos)
        if (length === 0) return false
        escaped = true
        pos += length
      } else {
        bits |= c
        pos++
      }
    }
    return false
  }

  /** Bytes of the escape at `pos`, a surrogate pair as one; 0 when it is none that JSON and Unicode know. */
  #escapeLength(pos: number): number {
    const c = this.bytes[pos + 1]
    if (c !== 0x75) return c !== undefined && SHORT_ESCAPES.includes(c) ? 2 : 0
    const unit = this.#hex4(pos + 2)
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff)) return 0
    if (unit < 0xd800 || unit > 0xdbff) return 6
    if (this.bytes[pos + 6] !== 0x5c || this.bytes[pos + 7] !== 0x75) return 0
    const low = this.#hex4(pos + 8)
    return low >= 0xdc00 && low <= 0xdfff ? 12 : 0
  }

  #hex4(pos: number): number {
    let value = 0
    for (let i = 0; i < 4; i++) {
      const digit = hexDigit(this.bytes[pos + i])
      if (digit < 0) return -1
      value = value * 16 + digit
    }
    return value
  }

  #number(first: number): boolean {
    const start = this.#pos
    let c = first
    if (c === 0x2d) c = this.#step()
    if (c === 0x30) c = this.#step()
    else if (c >= 0x31 && c <= 0x39) c = this.#digits()
    else return false
    let kind = JSON_INTEGER
    if (c === 0x2e) {
      kind = JSON_REAL
      c = this.#step()
      if (c < 0x30 || c > 0x39) return false
      c = this.#digits()
    }
    if (c === 0x65 || c === 0x45) {
      kind = JSON_REAL
      c = this.#step()
      if (c === 0x2b || c === 0x2d) c = this.#step()
      if (c < 0x30 || c > 0x39) return false
      this.#digits()
    }
    this.push(kind, start, this.#pos, 0)
    return true
  }

  /** One byte on. @returns the byte there, or -1 at the end */
  #step(): number {
    this.#pos++
    return this.#pos < this.#end ? this.bytes[this.#pos]! : -1
  }

  /** Over the digits. @returns the byte after them, or -1 at the end */
  #digits(): number {
    const { bytes } = this
    let pos = this.#pos + 1
    let c = -1
    while (pos < this.#end) {
      c = bytes[pos]!
      if (c < 0x30 || c > 0x39) break
      pos++
    }
    this.#pos = pos
    return pos < this.#end ? c : -1
  }

  #literal(c: number): boolean {
    const { bytes } = this
    const pos = this.#pos
    let kind: number
    let length = 4
    if (c === 0x6e && bytes[pos + 1] === 0x75 && bytes[pos + 2] === 0x6c && bytes[pos + 3] === 0x6c) {
      kind = JSON_NULL
    } else if (c === 0x74 && bytes[pos + 1] === 0x72 && bytes[pos + 2] === 0x75 && bytes[pos + 3] === 0x65) {
      kind = JSON_TRUE
    } else if (
      c === 0x66 &&
      bytes[pos + 1] === 0x61 &&
      bytes[pos + 2] === 0x6c &&
      bytes[pos + 3] === 0x73 &&
      bytes[pos + 4] === 0x65
    ) {
      kind = JSON_FALSE
      length = 5
    } else return false
    this.push(kind, pos, pos + length, 0)
    this.#pos = pos + length
    return true
  }

  /** Equal hashes decide nothing: only then are the names themselves compared. */
  #hasDuplicate(object: number): boolean {
    let count = 0
    for (let name = object + 1; name < this.count; name = this.next(name + 1)) {
      if (count === this.#hashes.length) {
        const grown = new Int32Array(count * 2)
        grown.set(this.#hashes)
        this.#hashes = grown
      }
      this.#hashes[count++] = this.nameHash(name)
    }
    if (!hasRepeat(this.#hashes, count)) return false
    const names = new Set<string>()
    for (let name = object + 1; name < this.count; name = this.next(name + 1)) names.add(this.text(name))
    return names.size < count
  }

  #refuse(fault: JsonFault): false {
    this.#fault = fault
    return false
  }
}

/** `"` `\` `/` `b` `f` `n` `r` `t`. */
const SHORT_ESCAPES = [0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74]

function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  const lower = c | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** Few values are compared each with each; many are sorted first. */
function hasRepeat(values: Int32Array, count: number): boolean {
  if (count > 40) {
    const sorted = values.slice(0, count).sort()
    for (let i = 1; i < count; i++) if (sorted[i] === sorted[i - 1]) return true
    return false
  }
  for (let i = 1; i < count; i++) {
    const value = values[i]
    for (let j = 0; j < i; j++) if (values[j] === value) return true
  }
  return false
}
