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

  private constructor(parts: SkeletonParts, json: JsonTape, count: number, isLastMember: boolean) {
    this.tape = parts.tape
    this.count = count
    this.slots = Int32Array.from(parts.slots)
    this.isLastMember = isLastMember
    this.#literals = Buffer.concat(parts.literals.map(([from, to]) => json.bytes.subarray(from, to)))
    let end = 0
    this.#ends = Int32Array.from(parts.literals, ([from, to]) => (end += to - from))
    this.#marks = Int32Array.from(parts.marks)
    this.#markEnds = Int32Array.from(parts.markEnds)
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
    return new JsonSkeleton(new SkeletonParts(json, count, from), json, count, isLastMember)
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

/** A text taken apart into values and the literals between them. */
class SkeletonParts {
  readonly tape: Int32Array
  readonly slots: number[] = []
  /** From and to, in the text. */
  readonly literals: [number, number][] = []
  readonly marks: number[] = []
  readonly markEnds: number[] = []
  #literalAt: number
  /** Objects whose brace has not come yet. */
  readonly #open: number[] = []

  constructor(json: JsonTape, count: number, from: number) {
    this.tape = new Int32Array(count * STRIDE)
    this.#literalAt = from
    const isName = namesOf(json, count)
    for (let token = 0; token < count; token++) {
      this.tape[token * STRIDE] = json.kind(token)
      if (json.kind(token) === JSON_OBJECT) this.#openObject(json, token)
      else if (isName[token]) this.#name(json, token)
      else this.#value(json, token)
    }
    this.#endLiteral(json, json.bytes.length)
  }

  #openObject(json: JsonTape, token: number): void {
    this.#closeBefore(json, json.start(token))
    this.#mark(token, 1, json.start(token))
    this.tape[token * STRIDE + 3] = json.next(token)
    this.#open.push(token)
  }

  #name(json: JsonTape, token: number): void {
    this.#closeBefore(json, json.start(token))
    this.#mark(token, 1, json.start(token))
    this.#mark(token, 2, json.end(token))
    this.tape[token * STRIDE + 3] = json.nameHash(token)
  }

  #value(json: JsonTape, token: number): void {
    const quote = json.isString(token) ? 1 : 0
    this.#endLiteral(json, json.start(token) - quote)
    this.slots.push(token)
    this.#literalAt = json.end(token) + quote
  }

  #endLiteral(json: JsonTape, at: number): void {
    this.#closeBefore(json, at)
    this.literals.push([this.#literalAt, at])
    this.markEnds.push(this.marks.length)
  }

  /** Objects end in the literal in which their brace stands. */
  #closeBefore(json: JsonTape, at: number): void {
    while (this.#open.length > 0 && json.end(this.#open.at(-1)!) <= at) {
      const token = this.#open.pop()!
      this.#mark(token, 2, json.end(token))
    }
  }

  #mark(token: number, field: 1 | 2, at: number): void {
    this.marks.push(token * STRIDE + field, at - this.#literalAt)
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

/** The skeletons of the texts that came last; those that come most move to the front. */
export class JsonSkeletons {
  readonly known: JsonSkeleton[] = []
  #pause = 0

  /** Notes that a text had the structure of `known[index]`. */
  fitted(index: number): void {
    const skeleton = this.known[index]!
    skeleton.fits++
    if (index === 0) return
    // One place at a time: of structures that take turns the commonest stays in front.
    this.known[index] = this.known[index - 1]!
    this.known[index - 1] = skeleton
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
