import { compareHashes, ENTRY_BYTES, ENTRY_WORDS, PARTS } from './entry.ts'
import type { EntryCursor } from './entry-cursor.ts'

const FIRST_CHUNK = 64
const CHUNK = 4096

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
    const entries = this.#joined()
    const order = inOrder(entries, this.size)
    const sorted = new Uint32Array(entries.length)
    let end = 0
    for (let i = 0; i < order.length; i++) {
      const at = order[i]! * ENTRY_WORDS
      const next = i + 1 < order.length ? order[i + 1]! * ENTRY_WORDS : -1
      if (next >= 0 && compareHashes(entries, at, entries, next) === 0) continue
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

  #joined(): Uint32Array {
    const joined = new Uint32Array(this.size * ENTRY_WORDS)
    let end = 0
    for (const chunk of this.#chunks) {
      joined.set(chunk === this.#last ? chunk.subarray(0, this.#used) : chunk, end)
      end += chunk.length
    }
    return joined
  }
}

/**
 * Numbers of entries in the order of their hashes; of equal ones the later comes later. Hashes are as good as random:
 * dealt out by their first bits, each stands where it belongs, or next to it.
 */
function inOrder(entries: Uint32Array, count: number): Uint32Array {
  const bits = Math.max(1, 32 - Math.clz32(count))
  const ends = new Uint32Array(2 ** bits)
  for (let i = 0; i < count; i++) ends[entries[i * ENTRY_WORDS]! >>> (32 - bits)]!++
  for (let i = 1; i < ends.length; i++) ends[i]! += ends[i - 1]!
  const order = new Uint32Array(count)
  for (let i = count - 1; i >= 0; i--) order[--ends[entries[i * ENTRY_WORDS]! >>> (32 - bits)]!] = i
  for (let i = 1; i < count; i++) {
    const entry = order[i]!
    let to = i
    while (to > 0 && compareHashes(entries, order[to - 1]! * ENTRY_WORDS, entries, entry * ENTRY_WORDS) > 0) {
      order[to] = order[to - 1]!
      to--
    }
    order[to] = entry
  }
  return order
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
