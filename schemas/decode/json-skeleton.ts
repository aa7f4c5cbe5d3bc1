import { JSON_ARRAY, JSON_OBJECT, type JsonTape, STRIDE } from './json-tape.ts'

/** Kept per scanner: a topic's tables times its operations, of those that come most. */
const KNOWN_MAX = 16
/** A larger text is scanned for its values, not for its names. */
const TOKENS_MAX = 8192
/** A skeleton that leaves before it fitted so many texts was not worth making: none is made for a while. */
const WORTH_FITS = 8
const PAUSE_TEXTS = 256
/** Values that are the same in so many texts that came one after another are taken for a part of the structure. */
const ALIKE_TEXTS = 64
/** Larger ones are left out: they are kept as long as the structure. */
const ALIKE_BYTES_MAX = 256
/** So often such values are looked for. */
const LOOK_EVERY_FITS = 256

/**
 * All that texts of one structure have in common: names, braces, blanks; everything but the values that are no
 * containers, and but for some of those, too, where they are always the same (the name of the table, the version of the
 * connector). Records of a topic differ in little else, so a text is first held against those before it: comparing
 * bytes takes a fraction of the time of reading them, and what follows from the names is known already.
 */
export class JsonSkeleton {
  /** Of such a text, but for the values and for where things stand: those are put down while a text is followed. */
  readonly tape: Int32Array
  readonly count: number
  /** The tokens of values that may differ, in the order of the text. */
  readonly slots: Int32Array
  /** The tokens of values that are the same in all of its texts. */
  readonly alike: ReadonlySet<number>
  /** Looks for such values; `null`: it is not the time for that. */
  search: AlikeSearch | null = null
  /** The text began behind a known one (`JsonScanner.scanLastMember`). */
  readonly isLastMember: boolean
  /** What was worked out for an object of this structure, by its token; whoever puts it there knows its own. */
  readonly notes: unknown[] = []
  fits = 0
  /** The literal before each value, and the one that ends the text, one after another. */
  readonly #literals: DataView
  readonly #ends: Int32Array
  /** Pairs: a place on the tape, and how far from the beginning of its literal that points; by literal. */
  readonly #marks: Int32Array
  readonly #markEnds: Int32Array

  private constructor(
    parts: SkeletonParts,
    json: JsonTape,
    count: number,
    isLastMember: boolean,
    alike: ReadonlySet<number>,
  ) {
    this.tape = parts.tape
    this.count = count
    this.alike = alike
    this.slots = Int32Array.from(parts.slots)
    this.isLastMember = isLastMember
    const literals = Buffer.concat(parts.literals.map(([from, to]) => json.bytes.subarray(from, to)))
    this.#literals = new DataView(literals.buffer, literals.byteOffset, literals.length)
    let end = 0
    this.#ends = Int32Array.from(parts.literals, ([from, to]) => (end += to - from))
    this.#marks = Int32Array.from(parts.marks)
    this.#markEnds = Int32Array.from(parts.markEnds)
  }

  /**
   * What the text that was just scanned has in common with others like it.
   *
   * @param from where the scan began
   * @param alike values that all of these texts share
   * @returns `null` for arrays, whose length is their value's, and for large texts
   */
  static of(
    json: JsonTape,
    count: number,
    from: number,
    isLastMember: boolean,
    alike: ReadonlySet<number> = new Set(),
  ): JsonSkeleton | null {
    if (count > TOKENS_MAX) return null
    for (let token = 0; token < count; token++) if (json.kind(token) === JSON_ARRAY) return null
    const parts = new SkeletonParts(json, count, from, alike)
    return new JsonSkeleton(parts, json, count, isLastMember, alike)
  }

  /**
   * Goes over the literal before a value (or over the last one), and puts down where its names and braces stand.
   *
   * @param view of bytes in which the text stands
   * @param textAt where the text begins in the view
   * @param textEnd how long it is
   * @param start where the literal begins in the text
   * @returns where it ends in the text; -1 when the text has something else there
   */
  follow(index: number, view: DataView, textAt: number, textEnd: number, start: number): number {
    const literals = this.#literals
    const from = index === 0 ? 0 : this.#ends[index - 1]!
    const to = this.#ends[index]!
    if (start + to - from > textEnd) return -1
    let i = from
    let at = textAt + start
    for (; i + 4 <= to; i += 4, at += 4) if (literals.getInt32(i, true) !== view.getInt32(at, true)) return -1
    for (; i < to; i++, at++) if (literals.getUint8(i) !== view.getUint8(at)) return -1
    const { tape } = this
    const marks = this.#marks
    const marksEnd = this.#markEnds[index]!
    for (let i = index === 0 ? 0 : this.#markEnds[index - 1]!; i < marksEnd; i += 2) {
      tape[marks[i]!] = start + marks[i + 1]!
    }
    return start + to - from
  }
}

/** Compares the values of texts of one structure with those of the first of them. */
class AlikeSearch {
  readonly #slots: Int32Array
  readonly #first: readonly Buffer[]
  /** By slot. */
  readonly #isAlike: boolean[]
  #texts = 1

  constructor(json: JsonTape, slots: Int32Array) {
    this.#slots = slots
    this.#first = Array.from(slots, (token) => Buffer.from(json.raw(token).subarray(0, ALIKE_BYTES_MAX)))
    this.#isAlike = this.#first.map(({ length }) => length < ALIKE_BYTES_MAX)
  }

  /** @returns the tokens of values that are the same in enough texts; `null`: there have not been enough */
  note(json: JsonTape): ReadonlySet<number> | null {
    for (let i = 0; i < this.#slots.length; i++) {
      if (this.#isAlike[i]) this.#isAlike[i] = this.#first[i]!.equals(json.raw(this.#slots[i]!))
    }
    if (++this.#texts < ALIKE_TEXTS) return null
    return new Set(this.#slots.filter((_, i) => this.#isAlike[i]))
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

  constructor(json: JsonTape, count: number, from: number, alike: ReadonlySet<number>) {
    this.tape = new Int32Array(count * STRIDE)
    this.#literalAt = from
    const isName = namesOf(json, count)
    for (let token = 0; token < count; token++) {
      this.tape[token * STRIDE] = json.kind(token)
      if (json.kind(token) === JSON_OBJECT) this.#openObject(json, token)
      else if (isName[token]) this.#name(json, token)
      else if (alike.has(token)) this.#text(json, token)
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
    this.#text(json, token)
    this.tape[token * STRIDE + 3] = json.nameHash(token)
  }

  /** Something that stands in a literal. */
  #text(json: JsonTape, token: number): void {
    this.#closeBefore(json, json.start(token))
    this.#mark(token, 1, json.start(token))
    this.#mark(token, 2, json.end(token))
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
  fitted(index: number, json: JsonTape, from: number): void {
    const skeleton = this.known[index]!
    if (index > 0) {
      // One place at a time: of structures that take turns the commonest stays in front.
      this.known[index] = this.known[index - 1]!
      this.known[index - 1] = skeleton
    }
    if (skeleton.alike.size === 0) this.#lookForAlike(skeleton, json, from)
    skeleton.fits++
  }

  /** A structure that has values which are always the same gets another one beside it, in which they are no values. */
  #lookForAlike(skeleton: JsonSkeleton, json: JsonTape, from: number): void {
    if (skeleton.fits % LOOK_EVERY_FITS === 0) skeleton.search = new AlikeSearch(json, skeleton.slots)
    else if (skeleton.search !== null) {
      const alike = skeleton.search.note(json)
      if (alike === null) return
      skeleton.search = null
      if (alike.size > 0)
        this.#add(JsonSkeleton.of(json, skeleton.count, from, skeleton.isLastMember, alike)!)
    }
  }

  /** Notes the structure of a text that none fitted. */
  learn(json: JsonTape, count: number, from: number, isLastMember: boolean): void {
    if (this.#pause-- > 0) return
    const skeleton = JsonSkeleton.of(json, count, from, isLastMember)
    if (skeleton !== null) this.#add(skeleton)
  }

  #add(skeleton: JsonSkeleton): void {
    this.known.unshift(skeleton)
    if (this.known.length <= KNOWN_MAX) return
    const { fits } = this.known.pop()!
    this.#pause = fits < WORTH_FITS ? PAUSE_TEXTS : 0
  }
}
