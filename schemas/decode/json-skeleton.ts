import { JSON_ARRAY, JSON_OBJECT, type JsonTape, STRIDE } from './json-tape.ts'

/** Kept per scanner: a topic's tables times its operations, of those that come most. */
const KNOWN_MAX = 16
/** A larger text is scanned for its values, not for its names. */
const TOKENS_MAX = 8192
/** A skeleton that leaves before it fitted so many texts was not worth making: none is made for a while. */
const WORTH_FITS = 8
const PAUSE_TEXTS = 256

/**
 * All that texts of one structure have in common: names, braces, blanks; everything but the values that are no
 * containers. Records of a topic differ in little else, so a text is first held against those before it: comparing
 * bytes takes a third of the time of reading them, and what follows from the names is known already.
 */
export class JsonSkeleton {
  /** Of such a text, but for the values and for where things stand: those are put down while a text is followed. */
  readonly tape: Int32Array
  readonly count: number
  /** The values' tokens, in the order of the text. */
  readonly slots: Int32Array
  /** The text began behind a known one (`JsonScanner.scanLastMember`). */
  readonly isLastMember: boolean
  /** What was worked out for an object of this structure, by its token; whoever puts it there knows its own. */
  readonly notes: unknown[] = []
  fits = 0
  /** The literal before each value, and the one that ends the text, one after another. */
  readonly #literals: Buffer
  readonly #ends: Int32Array
  /** Pairs: a place on the tape, and how far from the beginning of its literal that points; by literal. */
  readonly #marks: Int32Array
  readonly #markEnds: Int32Array

  private constructor(json: JsonTape, count: number, from: number, isLastMember: boolean) {
    const isName = namesOf(json, count)
    const slots: number[] = []
    const marks: number[] = []
    const markEnds: number[] = []
    const ends: number[] = []
    const pieces: Buffer[] = []
    const tape = new Int32Array(count * STRIDE)
    let length = 0
    let literalAt = from
    const closing: { readonly at: number; readonly token: number }[] = []
    const closeBefore = (position: number): void => {
      while (closing.length > 0 && closing.at(-1)!.at <= position) {
        const { at, token } = closing.pop()!
        marks.push(token * STRIDE + 2, at - literalAt)
      }
    }
    const endLiteral = (at: number): void => {
      pieces.push(json.bytes.subarray(literalAt, at))
      length += at - literalAt
      ends.push(length)
      markEnds.push(marks.length)
    }
    for (let token = 0; token < count; token++) {
      const kind = json.kind(token)
      const isContainer = kind === JSON_OBJECT
      tape[token * STRIDE] = kind
      if (isContainer || isName[token]) {
        closeBefore(json.start(token))
        marks.push(token * STRIDE + 1, json.start(token) - literalAt)
        if (isContainer) closing.push({ at: json.end(token), token })
        else marks.push(token * STRIDE + 2, json.end(token) - literalAt)
        tape[token * STRIDE + 3] = isContainer ? json.next(token) : json.nameHash(token)
        continue
      }
      const quote = json.isString(token) ? 1 : 0
      closeBefore(json.start(token) - quote)
      endLiteral(json.start(token) - quote)
      slots.push(token)
      literalAt = json.end(token) + quote
    }
    closeBefore(json.bytes.length)
    endLiteral(json.bytes.length)
    this.tape = tape
    this.count = count
    this.slots = Int32Array.from(slots)
    this.isLastMember = isLastMember
    this.#literals = Buffer.concat(pieces)
    this.#ends = Int32Array.from(ends)
    this.#marks = Int32Array.from(marks)
    this.#markEnds = Int32Array.from(markEnds)
  }

  /**
   * What the text that was just scanned has in common with others like it.
   *
   * @param from where the scan began
   * @returns `null` for arrays, whose length is their value's, and for large texts
   */
  static of(json: JsonTape, count: number, from: number, isLastMember: boolean): JsonSkeleton | null {
    if (count > TOKENS_MAX) return null
    for (let token = 0; token < count; token++) if (json.kind(token) === JSON_ARRAY) return null
    return new JsonSkeleton(json, count, from, isLastMember)
  }

  /**
   * Goes over the literal before a value (or over the last one), and puts down where its names and braces stand.
   *
   * @returns where it ends in the text; -1 when the text has something else there
   */
  follow(index: number, bytes: Uint8Array, start: number): number {
    const literals = this.#literals
    const from = index === 0 ? 0 : this.#ends[index - 1]!
    const to = this.#ends[index]!
    if (start + to - from > bytes.length) return -1
    for (let i = from, at = start; i < to; i++, at++) if (literals[i] !== bytes[at]) return -1
    const { tape } = this
    const marks = this.#marks
    const marksEnd = this.#markEnds[index]!
    for (let i = index === 0 ? 0 : this.#markEnds[index - 1]!; i < marksEnd; i += 2) {
      tape[marks[i]!] = start + marks[i + 1]!
    }
    return start + to - from
  }
}

/** Which tokens are names of members. */
function namesOf(json: JsonTape, count: number): Uint8Array {
  const isName = new Uint8Array(count)
  for (let token = 0; token < count; token++) {
    if (json.kind(token) !== JSON_OBJECT) continue
    for (let at = token + 1; at < json.next(token); at = json.next(at + 1)) isName[at] = 1
  }
  return isName
}

/** The skeletons of the texts that came last, the last one first. */
export class JsonSkeletons {
  readonly known: JsonSkeleton[] = []
  #pause = 0

  /** Notes that a text had the structure of `known[index]`. */
  fitted(index: number): void {
    const skeleton = this.known[index]!
    skeleton.fits++
    if (index === 0) return
    this.known.splice(index, 1)
    this.known.unshift(skeleton)
  }

  /** Notes the structure of a text that none fitted. */
  learn(json: JsonTape, count: number, from: number, isLastMember: boolean): void {
    if (this.#pause-- > 0) return
    const skeleton = JsonSkeleton.of(json, count, from, isLastMember)
    if (skeleton === null) return
    this.known.unshift(skeleton)
    if (this.known.length <= KNOWN_MAX) return
    const { fits } = this.known.pop()!
    this.#pause = fits < WORTH_FITS ? PAUSE_TEXTS : 0
  }
}
