import { compareHashes, ENTRY_WORDS, FILE, FREE, PARTS, partOf } from './entry.ts'

const MAX_LOAD = 0.9
/** A part grows by so much, a small one by five such steps: seven copies of each entry in its life. */
const GROWTH = 1.15
const FIRST_CAPACITY = 8
const SMALL = 512

/**
 * Entries in the order of their hashes, with gaps: a hash, being as good as random, tells where in the order it stands.
 * So a look-up ends after a few steps even where nine of ten slots are taken, growing is one copy from left to right,
 * and what is read from front to end is sorted. 31 to 36 bytes an entry, nothing of it on the heap.
 *
 * In parts that grow one at a time, so that no insert waits for the whole table to be copied.
 */
export class EntryTable {
  /** Made when their first entry comes: many tables have few keys. */
  readonly #parts: (Part | undefined)[] = new Array(PARTS)
  #size = 0
  #sizeBytes = 0

  /** @param expected entries that are to come: room for them is made at once */
  constructor(expected = 0) {
    if (expected < PARTS * FIRST_CAPACITY) return
    const step = stepFor(expected / PARTS)
    for (let i = 0; i < PARTS; i++) this.#parts[i] = this.#counted(new Part(step + phaseOf(i)))
  }

  get size(): number {
    return this.#size
  }

  /** Bytes held, gaps included. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The part of a hash; `undefined`: it has no entries. */
  part(words: Uint32Array, at: number): Part | undefined {
    return this.#parts[partOf(words, at)]
  }

  /** All parts, in the order of their hashes. */
  *parts(): Generator<{ readonly index: number; readonly part: Part }> {
    for (let index = 0; index < PARTS; index++) {
      const part = this.#parts[index]
      if (part !== undefined && part.size > 0) yield { index, part }
    }
  }

  /** Inserts or overwrites. @param entry begins with the hash's last three words */
  put(index: number, entry: Uint32Array): void {
    let part = this.#parts[index]
    if (part === undefined) {
      part = this.#counted(new Part(phaseOf(index)))
      this.#parts[index] = part
    }
    const before = part.size
    while (!part.put(entry)) {
      this.#sizeBytes -= part.sizeBytes
      part = this.#counted(part.grown())
      this.#parts[index] = part
    }
    this.#size += part.size - before
  }

  /** Inserts or overwrites many. @param sorted entries of the part, in the order of their hashes */
  putSorted(index: number, sorted: Uint32Array): void {
    if (sorted.length === 0) return
    if ((this.#parts[index]?.size ?? 0) > 0) {
      for (let at = 0; at < sorted.length; at += ENTRY_WORDS)
        this.put(index, sorted.subarray(at, at + ENTRY_WORDS))
      return
    }
    const part = Part.of(sorted, phaseOf(index))
    this.#sizeBytes += part.sizeBytes - (this.#parts[index]?.sizeBytes ?? 0)
    this.#size += part.size
    this.#parts[index] = part
  }

  /** @returns whether the hash was there */
  delete(words: Uint32Array, at: number): boolean {
    const isDeleted = this.part(words, at)?.delete(words, at + 1) ?? false
    if (isDeleted) this.#size--
    return isDeleted
  }

  /** Takes out the entries that `isGone` says. @param isGone asked with an entry's words and where it begins */
  removeWhere(isGone: (words: Uint32Array, at: number) => boolean): void {
    for (const { index, part } of this.parts()) {
      const kept = part.without(isGone)
      if (kept === part) continue
      this.#size += kept.size - part.size
      this.#sizeBytes -= part.sizeBytes
      this.#parts[index] = this.#counted(kept)
    }
  }

  #counted(part: Part): Part {
    this.#sizeBytes += part.sizeBytes
    return part
  }
}

/** Parts fill evenly; so that they do not all grow in one moment, each grows at another size. */
function phaseOf(index: number): number {
  return index / PARTS
}

/** How often a part has to grow to have room for so many entries. */
function stepFor(count: number): number {
  return Math.max(0, Math.log(count / MAX_LOAD / FIRST_CAPACITY) / Math.log(GROWTH))
}

/**
 * One sorted array with gaps. An entry stands at the slot that its hash tells, or after it with no gap in between. A
 * margin behind the last such slot takes what does not fit before. All words of a free slot are `FREE`.
 */
export class Part {
  readonly words: Uint32Array
  readonly #step: number
  readonly #capacity: number
  readonly #scale: number
  /** Begin of the last slot, which stays free. */
  readonly #end: number
  #size = 0

  /** @param step how often it has grown */
  constructor(step: number) {
    this.#step = step
    const capacity = Math.ceil(FIRST_CAPACITY * GROWTH ** step)
    this.#capacity = capacity
    this.#scale = capacity / 2 ** 32
    const margin = Math.max(8, Math.ceil(Math.sqrt(capacity)), capacity >> 6)
    this.#end = (capacity + margin) * ENTRY_WORDS
    this.words = new Uint32Array(this.#end + ENTRY_WORDS).fill(FREE)
  }

  /** @param sorted entries in the order of their hashes @param phase by which it has more room than it needs */
  static of(sorted: Uint32Array, phase: number): Part {
    const part = new Part(stepFor(sorted.length / ENTRY_WORDS) + phase)
    let next = 0
    for (let at = 0; at < sorted.length; at += ENTRY_WORDS) {
      next = part.#append(sorted, at, next)
      if (next < 0) return Part.of(sorted, phase + 5)
    }
    return part
  }

  get size(): number {
    return this.#size
  }

  get sizeBytes(): number {
    return this.words.byteLength
  }

  /** Where in `words` the entry begins whose hash ends with `hash[at .. at + 3)`, or -1. */
  find(hash: Uint32Array, at: number): number {
    const from = this.#lowerBound(hash, at)
    const isThere = this.words[from + FILE] !== FREE && compareHashes(this.words, from, hash, at) === 0
    return isThere ? from : -1
  }

  /** @returns false when there is no room: the part has to grow */
  put(entry: Uint32Array): boolean {
    const words = this.words
    const at = this.#lowerBound(entry, 0)
    const isFree = words[at + FILE] === FREE
    if (isFree || compareHashes(words, at, entry, 0) !== 0) {
      if (this.#size + 1 > this.#capacity * MAX_LOAD) return false
      if (!isFree) {
        const gap = this.#gapFrom(at)
        if (gap === this.#end) return false
        words.copyWithin(at + ENTRY_WORDS, at, gap)
      } else if (at === this.#end) return false
      this.#size++
    }
    for (let i = 0; i < ENTRY_WORDS; i++) words[at + i] = entry[i]!
    return true
  }

  delete(hash: Uint32Array, at: number): boolean {
    const words = this.words
    const hole = this.find(hash, at)
    if (hole < 0) return false
    // What follows moves up, as far as nothing comes to stand before its own slot.
    let end = hole + ENTRY_WORDS
    while (words[end + FILE] !== FREE && this.#home(words[end]!) < end) end += ENTRY_WORDS
    words.copyWithin(hole, hole + ENTRY_WORDS, end)
    words.fill(FREE, end - ENTRY_WORDS, end)
    this.#size--
    return true
  }

  /** The same entries with more room. */
  grown(): Part {
    return this.#copy(this.#step + (this.#capacity < SMALL ? 5 : 1), () => false)
  }

  /** The entries that are not gone; this part itself when none is. */
  without(isGone: (words: Uint32Array, at: number) => boolean): Part {
    let isAnyGone = false
    for (let at = this.entryFrom(0); at >= 0; at = this.entryFrom(at + ENTRY_WORDS))
      isAnyGone ||= isGone(this.words, at)
    return isAnyGone ? this.#copy(this.#step, isGone) : this
  }

  /** Where in `words` the first entry begins from a slot on; they are sorted. -1: there are no more. */
  entryFrom(slot: number): number {
    for (let at = slot; at < this.#end; at += ENTRY_WORDS) if (this.words[at + FILE] !== FREE) return at
    return -1
  }

  #copy(step: number, isGone: (words: Uint32Array, at: number) => boolean): Part {
    const copy = new Part(step)
    const { words } = this
    let next = 0
    for (let at = 0; at < this.#end; at += ENTRY_WORDS) {
      if (words[at + FILE] === FREE || isGone(words, at)) continue
      next = copy.#append(words, at, next)
      if (next < 0) return this.#copy(step + 5, isGone)
    }
    return copy
  }

  /**
   * Puts an entry behind all others.
   *
   * @param next end of the last one
   * @returns its end; -1: there is no room
   */
  #append(words: Uint32Array, at: number, next: number): number {
    const to = Math.max(next, this.#home(words[at]!))
    if (to === this.#end) return -1
    for (let i = 0; i < ENTRY_WORDS; i++) this.words[to + i] = words[at + i]!
    this.#size++
    return to + ENTRY_WORDS
  }

  /** Begin of the first slot at or after the hash's own that is free or does not come before the hash. */
  #lowerBound(hash: Uint32Array, at: number): number {
    const words = this.words
    const first = hash[at]!
    let slot = this.#home(first)
    // A free slot comes after every hash, and there is always one at the end.
    while (words[slot]! < first) slot += ENTRY_WORDS
    while (words[slot] === first && words[slot + FILE] !== FREE && compareHashes(words, slot, hash, at) < 0)
      slot += ENTRY_WORDS
    return slot
  }

  #gapFrom(at: number): number {
    let gap = at
    while (this.words[gap + FILE] !== FREE) gap += ENTRY_WORDS
    return gap
  }

  #home(first: number): number {
    return Math.floor(first * this.#scale) * ENTRY_WORDS
  }
}
