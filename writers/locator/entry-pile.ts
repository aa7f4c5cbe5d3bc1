import { compareHashes, ENTRY_BYTES, ENTRY_WORDS, PARTS } from './entry.ts'
import type { EntryCursor } from './entry-cursor.ts'

const FIRST_CHUNK = 64
const CHUNK = 4096

const HEAPS = 64
const HEAP_SHIFT = 26

/**
 * Entries in the order in which they come, to be sorted all at once: what a locator is filled with. To put each where
 * it belongs costs several times as much, since a large table is in no cache.
 */
export class EntryPile {
  readonly #parts: PilePart[] = Array.from({ length: PARTS }, () => new PilePart())
  #size = 0

  /** Entries, all of a key counted. */
  get size(): number {
    return this.#size
  }

  get sizeBytes(): number {
    return this.#size * ENTRY_BYTES
  }

  add(part: number, entry: Uint32Array): void {
    this.#parts[part]!.add(entry)
    this.#size++
  }

  /** The entries of a part in the order of their hashes, of each key the newest. */
  sorted(part: number): Uint32Array {
    return this.#parts[part]!.sorted()
  }

  /** Lets go of a part. */
  clear(part: number): void {
    this.#size -= this.#parts[part]!.size
    this.#parts[part] = new PilePart()
  }

  clearAll(): void {
    for (let part = 0; part < PARTS; part++) this.clear(part)
  }
}

class PilePart {
  readonly #chunks: Uint32Array[] = []
  #last = new Uint32Array(0)
  #used = 0
  size = 0

  add(entry: Uint32Array): void {
    if (this.#used === this.#last.length) this.#begin()
    for (let i = 0; i < ENTRY_WORDS; i++) this.#last[this.#used + i] = entry[i]!
    this.#used += ENTRY_WORDS
    this.size++
  }

  sorted(): Uint32Array {
    const entries = this.#dealt()
    const { order, firsts } = inOrder(entries, this.size)
    const sorted = new Uint32Array(entries.length)
    let end = 0
    for (let i = 0; i < order.length; i++) {
      const at = order[i]! * ENTRY_WORDS
      const mayRepeat = i + 1 < order.length && firsts[i + 1] === firsts[i]
      if (mayRepeat && compareHashes(entries, at, entries, order[i + 1]! * ENTRY_WORDS) === 0) continue
      for (let word = 0; word < ENTRY_WORDS; word++) sorted[end + word] = entries[at + word]!
      end += ENTRY_WORDS
    }
    return sorted.subarray(0, end)
  }

  #begin(): void {
    const room = this.#chunks.length === 0 ? FIRST_CHUNK : CHUNK
    this.#last = new Uint32Array(room * ENTRY_WORDS)
    this.#chunks.push(this.#last)
    this.#used = 0
  }

  /** All entries, dealt out by the first bits of their hashes: those that are sorted together lie close together. */
  #dealt(): Uint32Array {
    const ends = new Uint32Array(HEAPS + 1)
    for (const chunk of this.#filled()) {
      for (let at = 0; at < chunk.length; at += ENTRY_WORDS)
        ends[(chunk[at]! >>> HEAP_SHIFT) + 1]! += ENTRY_WORDS
    }
    for (let heap = 1; heap <= HEAPS; heap++) ends[heap]! += ends[heap - 1]!
    const dealt = new Uint32Array(this.size * ENTRY_WORDS)
    for (const chunk of this.#filled()) {
      for (let at = 0; at < chunk.length; at += ENTRY_WORDS) {
        const heap = chunk[at]! >>> HEAP_SHIFT
        const to = ends[heap]!
        for (let word = 0; word < ENTRY_WORDS; word++) dealt[to + word] = chunk[at + word]!
        ends[heap] = to + ENTRY_WORDS
      }
    }
    return dealt
  }

  #filled(): readonly Uint32Array[] {
    return this.#chunks.map((chunk) => (chunk === this.#last ? chunk.subarray(0, this.#used) : chunk))
  }
}

/** Entries by number in the order of their hashes, and the first word of each; of equal ones the later comes later. */
interface Order {
  readonly order: Uint32Array
  readonly firsts: Uint32Array
}

/** Hashes are as good as random: dealt out by their first bits, each stands where it belongs, or next to it. */
function inOrder(entries: Uint32Array, count: number): Order {
  const shift = Math.min(31, Math.clz32(count))
  const ends = new Uint32Array(2 ** (32 - shift))
  for (let at = 0; at < entries.length; at += ENTRY_WORDS) ends[entries[at]! >>> shift]!++
  for (let i = 1; i < ends.length; i++) ends[i]! += ends[i - 1]!
  const order = new Uint32Array(count)
  const firsts = new Uint32Array(count)
  for (let i = count - 1; i >= 0; i--) {
    const first = entries[i * ENTRY_WORDS]!
    const to = --ends[first >>> shift]!
    order[to] = i
    firsts[to] = first
  }
  for (let i = 1; i < count; i++) putInOrder(entries, { order, firsts }, i)
  return { order, firsts }
}

/** Brings the entry at `i` to its place among those before it, which are in order. */
function putInOrder(entries: Uint32Array, { order, firsts }: Order, i: number): void {
  const first = firsts[i]!
  const entry = order[i]!
  let to = i
  while (to > 0 && firsts[to - 1]! >= first) {
    const before = order[to - 1]!
    if (firsts[to - 1] === first && !isAfter(entries, before, entry)) break
    order[to] = before
    firsts[to] = firsts[to - 1]!
    to--
  }
  order[to] = entry
  firsts[to] = first
}

function isAfter(entries: Uint32Array, a: number, b: number): boolean {
  return compareHashes(entries, a * ENTRY_WORDS, entries, b * ENTRY_WORDS) > 0
}

/** Walks over a pile that does not change meanwhile, and sorts a part when it comes to it. */
export class PileCursor implements EntryCursor {
  readonly #pile: EntryPile
  part = -1
  words: Uint32Array = new Uint32Array(0)
  at = 0

  constructor(pile: EntryPile) {
    this.#pile = pile
  }

  next(): boolean {
    this.at += ENTRY_WORDS
    while (this.at >= this.words.length) {
      if (this.part + 1 === PARTS) return false
      this.words = this.#pile.sorted(++this.part)
      this.at = 0
    }
    return true
  }

  async load(): Promise<boolean> {
    return this.next()
  }
}
