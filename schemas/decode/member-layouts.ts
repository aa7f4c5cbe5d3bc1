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
  tokens = new Int32Array(64)
  #known: Known<T>[] = []
  readonly #make: (names: readonly string[]) => T

  constructor(make: (names: readonly string[]) => T) {
    this.#make = make
  }

  /** What was made of the names of this object. */
  find(json: JsonTape, object: number): T {
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
        const grown = new Int32Array(names.length * 2)
        grown.set(this.tokens)
        this.tokens = grown
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
