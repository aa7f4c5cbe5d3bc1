import { assert } from '../../core/assert.ts'
import { EngineError } from '../../core/errors.ts'
import type { LocalFile, LocalFiles } from '../../core/ports.ts'
import type { Pace } from '../pace.ts'
import { ENTRY_WORDS, FILE, FREE, PARTS, partOf } from './entry.ts'
import type { EntryCursor } from './entry-cursor.ts'
import { BLOCK_BYTES, BLOCK_ENTRIES, BLOCK_WORDS, findInBlock, isWhole } from './run-blocks.ts'
import { decodeRunIndex, type RunIndex } from './run-index.ts'
import { indexPath } from './write-run.ts'

const CHUNK_BLOCKS = 128
/** As many bytes as a chunk of a pile has: what a pile leaves behind is used again, whatever the allocator does with larger ones. */
const HELD_BLOCKS = 112

/** Entries in the order of their hashes, in a file that never changes; the first blocks of it may be held in memory. */
export class Run {
  readonly path: string
  readonly #file: LocalFile
  readonly #index: RunIndex
  /** The first blocks, in pieces: no single one takes long to be made. */
  #held: readonly Uint32Array[] = []
  #heldBlocks = 0

  private constructor(path: string, file: LocalFile, index: RunIndex) {
    this.path = path
    this.#file = file
    this.#index = index
  }

  /** @param written its index, when this process has made it @returns `null` when it is not there, or not whole */
  static async open(files: LocalFiles, path: string, written: RunIndex | null = null): Promise<Run | null> {
    const index = written ?? (await readIndex(files, path))
    const file = index === null ? null : await files.open(path)
    if (index === null || file === null) return null
    if (file.sizeBytes === index.firstWords.length * BLOCK_BYTES) return new Run(path, file, index)
    file.close()
    return null
  }

  get entryCount(): number {
    return this.#index.entryCount
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes
  }

  /** Of its blocks, in memory. */
  get heldBytes(): number {
    return this.#heldBlocks * BLOCK_BYTES
  }

  /** Of its index and filter, which are always in memory. */
  get indexBytes(): number {
    return this.#index.firstWords.byteLength + this.#index.filter.words.byteLength
  }

  /** Takes as many blocks into memory as fit. @throws EngineError when they are not whole */
  async hold(bytesMax: number, pace: Pace): Promise<void> {
    const blocks = Math.min(this.#index.firstWords.length, Math.floor(bytesMax / BLOCK_BYTES))
    const held: Uint32Array[] = []
    for (let block = 0; block < blocks; block += HELD_BLOCKS) {
      const count = Math.min(HELD_BLOCKS, blocks - block)
      const piece = new Uint32Array(count * BLOCK_WORDS)
      await this.#readChunk(block, count, piece)
      held.push(piece)
      await pace.step()
    }
    this.#held = held
    this.#heldBlocks = Math.max(0, blocks)
  }

  /**
   * Looks keys up.
   *
   * @param hashes four words each @param keys numbers of those that are wanted
   * @param take called with each key found, the words that its entry is in, and where it begins
   */
  async find(
    hashes: Uint32Array,
    keys: readonly number[],
    take: (key: number, words: Uint32Array, at: number) => void,
  ): Promise<void> {
    const askedKeys: number[] = []
    const askedBlocks: number[] = []
    for (const key of keys) {
      const at = key * 4
      if (!this.#index.filter.has(partOf(hashes, at), hashes, at + 1)) continue
      const { first, last } = this.#blocksOf(hashes, at)
      for (let block = first; block <= last; block++) {
        if (block < this.#heldBlocks) {
          const held = this.#held[Math.floor(block / HELD_BLOCKS)]!
          const found = findInBlock(held, (block % HELD_BLOCKS) * BLOCK_WORDS, hashes, at + 1)
          if (found >= 0) take(key, held, found)
        } else {
          askedKeys.push(key)
          askedBlocks.push(block)
        }
      }
    }
    if (askedBlocks.length === 0) return
    const words = await this.#readBlocks(askedBlocks)
    askedKeys.forEach((key, i) => {
      const found = findInBlock(words, i * BLOCK_WORDS, hashes, key * 4 + 1)
      if (found >= 0) take(key, words, found)
    })
  }

  /** All entries in order. */
  cursor(): EntryCursor {
    return new RunCursor(this.#index, (block, count, out) => this.#readChunk(block, count, out))
  }

  close(): void {
    this.#file.close()
  }

  /** The blocks in which a hash may be: one, but where entries of two blocks begin with the same word. */
  #blocksOf(hashes: Uint32Array, at: number): { readonly first: number; readonly last: number } {
    const { partStarts, firstWords } = this.#index
    const part = partOf(hashes, at)
    const wanted = hashes[at + 1]!
    const begin = partStarts[part]!
    let low = begin
    let high = partStarts[part + 1]!
    while (low < high) {
      const middle = (low + high) >>> 1
      if (firstWords[middle]! <= wanted) low = middle + 1
      else high = middle
    }
    const last = low - 1
    let first = last
    while (first > begin && firstWords[first] === wanted) first--
    return { first: Math.max(first, begin), last }
  }

  async #readBlocks(blocks: readonly number[]): Promise<Uint32Array> {
    const words = new Uint32Array(blocks.length * BLOCK_WORDS)
    const offsets = blocks.map((block) => block * BLOCK_BYTES)
    await this.#file.readPieces(offsets, BLOCK_BYTES, new Uint8Array(words.buffer))
    blocks.forEach((block, i) => {
      if (!isWhole(words, i * BLOCK_WORDS, block)) throw torn(this.path)
    })
    return words
  }

  async #readChunk(block: number, count: number, out: Uint32Array): Promise<void> {
    const bytes = new Uint8Array(out.buffer, out.byteOffset, count * BLOCK_BYTES)
    await this.#file.readPieces([block * BLOCK_BYTES], bytes.length, bytes)
    for (let i = 0; i < count; i++) if (!isWhole(out, i * BLOCK_WORDS, block + i)) throw torn(this.path)
  }
}

async function readIndex(files: LocalFiles, path: string): Promise<RunIndex | null> {
  const bytes = await files.read(indexPath(path))
  return bytes === null ? null : decodeRunIndex(bytes)
}

/** Walks over the blocks of a run, a chunk at a time. */
class RunCursor implements EntryCursor {
  readonly words = new Uint32Array(CHUNK_BLOCKS * BLOCK_WORDS)
  readonly #index: RunIndex
  readonly #readChunk: (block: number, count: number, out: Uint32Array) => Promise<void>
  part = 0
  at = 0
  #block = -1
  #entry = BLOCK_ENTRIES
  #chunkStart = 0
  #chunkEnd = 0

  constructor(index: RunIndex, readChunk: (block: number, count: number, out: Uint32Array) => Promise<void>) {
    this.#index = index
    this.#readChunk = readChunk
  }

  next(): boolean {
    this.at += ENTRY_WORDS
    if (++this.#entry < BLOCK_ENTRIES && this.words[this.at + FILE] !== FREE) return true
    if (this.#block + 1 >= this.#chunkEnd) return false
    this.#block++
    this.#entry = 0
    this.at = (this.#block - this.#chunkStart) * BLOCK_WORDS
    while (this.#block >= this.#index.partStarts[this.part + 1]!) this.part++
    assert(this.part < PARTS && this.words[this.at + FILE] !== FREE, 'a block of a run is empty')
    return true
  }

  async load(): Promise<boolean> {
    const blocks = this.#index.firstWords.length
    if (this.#chunkEnd >= blocks) return false
    this.#chunkStart = this.#chunkEnd
    this.#chunkEnd = Math.min(blocks, this.#chunkStart + CHUNK_BLOCKS)
    await this.#readChunk(this.#chunkStart, this.#chunkEnd - this.#chunkStart, this.words)
    this.#entry = BLOCK_ENTRIES
    return this.next()
  }
}

/** What is on disk is not what was written. */
export function torn(path: string): EngineError {
  return new EngineError('E_LOCAL_STATE', 'retry', `${path} is damaged; it is made anew`, {})
}
