import { hashBytes, type JsonTape } from './json-tape.ts'

/** Sequences of member names kept per kind of object: schema versions, partial rows, tables that share a topic. */
const LAYOUTS_MAX = 32

interface Known<T> {
  readonly names: readonly Buffer[]
  readonly hashes: readonly number[]
  readonly made: T
}

/**
 * Records of one topic repeat the same members in the same order. What follows from the names alone is worked out
 * once per sequence and found again by comparing bytes.
 */
export class MemberLayouts<T> {
  /** Value tokens of the object that was found last, in the order of its members. */
  tokens: Int32Array
  #scratch = new Int32Array(64)
  #known: Known<T>[] = []
  readonly #make: (names: readonly string[]) => T

  constructor(make: (names: readonly string[]) => T) {
    this.#make = make
    this.tokens = this.#scratch
  }

  /** What was made of the names of this object. */
  find(json: JsonTape, object: number): T {
    const { skeleton } = json
    if (skeleton === null) return this.#findByNames(json, object)
    const note = skeleton.notes[object]
    if (note instanceof Note && note.known === this.#known) {
      this.tokens = note.tokens
      return note.made as T
    }
    const made = this.#findByNames(json, object)
    skeleton.notes[object] = new Note(this.#known, made, this.tokens.slice())
    return made
  }

  #findByNames(json: JsonTape, object: number): T {
    this.tokens = this.#scratch
    for (let i = 0; i < this.#known.length; i++) {
      const known = this.#known[i]!
      if (!this.#matches(json, object, known)) continue
      if (i > 0) {
        this.#known.splice(i, 1)
        this.#known.unshift(known)
      }
      return known.made
    }
    return this.#learn(json, object)
  }

  /** Forgets all: what was made does not hold any longer. */
  clear(): void {
    this.#known = []
  }

  #matches(json: JsonTape, object: number, known: Known<T>): boolean {
    const { names, hashes } = known
    const end = json.next(object)
    let at = object + 1
    for (let i = 0; i < names.length; i++) {
      if (at >= end || json.nameHash(at) !== hashes[i] || !json.equals(at, names[i]!)) return false
      this.tokens[i] = at + 1
      at = json.next(at + 1)
    }
    return at === end
  }

  #learn(json: JsonTape, object: number): T {
    const names: string[] = []
    const end = json.next(object)
    for (let at = object + 1; at < end; at = json.next(at + 1)) {
      if (names.length === this.tokens.length) {
        this.#scratch = new Int32Array(names.length * 2)
        this.#scratch.set(this.tokens)
        this.tokens = this.#scratch
      }
      this.tokens[names.length] = at + 1
      names.push(json.text(at))
    }
    const made = this.#make(names)
    const utf8 = names.map((name) => Buffer.from(name))
    this.#known.unshift({ names: utf8, hashes: utf8.map(hashBytes), made })
    if (this.#known.length > LAYOUTS_MAX) this.#known.pop()
    return made
  }
}

/** What was found for an object of a skeleton: the next text of that structure has it in the same tokens. */
class Note {
  /** Whose it is; another one since the layouts were forgotten. */
  readonly known: unknown
  readonly made: unknown
  readonly tokens: Int32Array

  constructor(known: unknown, made: unknown, tokens: Int32Array) {
    this.known = known
    this.made = made
    this.tokens = tokens
  }
}
