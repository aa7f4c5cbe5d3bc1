import type { LocalFiles, LocalFileWriter } from '../../core/ports.ts'
import { ENTRY_WORDS, FREE, PARTS } from './entry.ts'
import { BLOCK_ENTRIES, BLOCK_WORDS, seal } from './run-blocks.ts'
import { RunFilter } from './run-filter.ts'
import { encodeRunIndex, type RunIndex } from './run-index.ts'

const BUFFER_BLOCKS = 512

/** Writes entries, which come in order, as a run. It is there when `finish` has resolved. */
export class RunWriter {
  readonly #files: LocalFiles
  readonly #path: string
  readonly #out: LocalFileWriter
  readonly #filter: RunFilter
  /** A part may end with any block, so that `add` can say only later that it is full. */
  readonly #buffer = new Uint32Array((BUFFER_BLOCKS + PARTS + 1) * BLOCK_WORDS)
  readonly #partStarts = new Uint32Array(PARTS + 1)
  #firstWords = new Uint32Array(1024)
  #blocks = 0
  #flushed = 0
  #inBlock = 0
  #part = 0
  #count = 0

  private constructor(files: LocalFiles, path: string, out: LocalFileWriter, countMax: number) {
    this.#files = files
    this.#path = path
    this.#out = out
    this.#filter = RunFilter.for(countMax)
  }

  /** @param countMax entries at the most */
  static async create(files: LocalFiles, path: string, countMax: number): Promise<RunWriter> {
    return new RunWriter(files, path, await files.create(path), countMax)
  }

  /** @returns whether `flush` has to be called before the next one */
  add(part: number, words: Uint32Array, at: number): boolean {
    while (this.#part < part) this.#endPart()
    if (this.#inBlock === 0) this.#beginBlock(words[at]!)
    const to = (this.#blocks - 1 - this.#flushed) * BLOCK_WORDS + this.#inBlock * ENTRY_WORDS
    for (let i = 0; i < ENTRY_WORDS; i++) this.#buffer[to + i] = words[at + i]!
    this.#filter.add(part, words, at)
    this.#count++
    if (++this.#inBlock === BLOCK_ENTRIES) this.#endBlock()
    return this.#inBlock === 0 && this.#blocks - this.#flushed >= BUFFER_BLOCKS
  }

  async flush(): Promise<void> {
    const words = this.#buffer.subarray(0, (this.#blocks - this.#flushed) * BLOCK_WORDS)
    this.#flushed = this.#blocks
    if (words.length > 0) await this.#out.append(new Uint8Array(words.buffer, 0, words.byteLength))
  }

  async finish(): Promise<RunIndex> {
    while (this.#part < PARTS) this.#endPart()
    await this.flush()
    await this.#out.close()
    const index = {
      entryCount: this.#count,
      partStarts: this.#partStarts,
      firstWords: this.#firstWords.slice(0, this.#blocks),
      filter: this.#filter,
    }
    await this.#files.write(indexPath(this.#path), encodeRunIndex(index))
    return index
  }

  async abandon(): Promise<void> {
    await this.#out.close()
    await this.#files.delete(this.#path)
  }

  #beginBlock(firstWord: number): void {
    if (this.#blocks === this.#firstWords.length) {
      const grown = new Uint32Array(this.#blocks * 2)
      grown.set(this.#firstWords)
      this.#firstWords = grown
    }
    this.#firstWords[this.#blocks++] = firstWord
  }

  #endBlock(): void {
    const from = (this.#blocks - 1 - this.#flushed) * BLOCK_WORDS
    this.#buffer.fill(FREE, from + this.#inBlock * ENTRY_WORDS, from + BLOCK_WORDS)
    seal(this.#buffer, from, this.#blocks - 1)
    this.#inBlock = 0
  }

  #endPart(): void {
    if (this.#inBlock > 0) this.#endBlock()
    this.#partStarts[++this.#part] = this.#blocks
  }
}

export function indexPath(path: string): string {
  return `${path}.index`
}
