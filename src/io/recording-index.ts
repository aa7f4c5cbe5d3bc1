import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import type { PartitionRange } from '../../core/ports.ts'
import { compareUtf8 } from '../../core/utf8-order.ts'
import { systemCode, toEngineError } from './fs-error.ts'
import { readLineBlocks } from './line-blocks.ts'
import {
  isMalformed,
  isWholeLine,
  type LineCoordinates,
  type MalformedLine,
  placeLine,
} from './recorded-line.ts'

/** What is known of one file after its lines were placed. */
export interface RecordedFile {
  readonly name: string
  readonly path: string
  /** Bytes that hold whole lines. */
  readonly bytes: number
  /** Newlines in them. */
  readonly lines: number
  /** Behind them stands the beginning of a line that is still being written, or was cut off. */
  readonly isTorn: boolean
  /** Per partition, the offset after its last record in this file. */
  readonly ends: ReadonlyMap<string, bigint>
}

interface GrowingFile {
  readonly name: string
  readonly path: string
  bytes: number
  lines: number
  isTorn: boolean
  sizeSeen: number
  readonly ends: Map<string, bigint>
}

/** `2/shop.public.orders`: a partition as the key of a map. */
export function partitionKey(topic: string, partition: number): string {
  return `${partition}/${topic}`
}

/**
 * Which records a directory of recorded topics holds. Every line is placed once, when it is first seen; a later
 * `refresh` looks only at what was appended. Records of one partition may stand in several files: files are taken in
 * the order of their names, and the offsets of a partition must rise.
 */
export class RecordingIndex {
  readonly #directory: string
  readonly #files = new Map<string, GrowingFile>()
  readonly #partitions = new Map<
    string,
    { topic: string; partition: number; startOffset: bigint; endOffset: bigint }
  >()
  #refreshing: Promise<unknown> = Promise.resolve()

  constructor(directory: string) {
    this.#directory = directory
  }

  partitions(): readonly PartitionRange[] {
    return [...this.#partitions.values()].map((range) => ({ ...range }))
  }

  /** As they are now: a later refresh does not change what was given out. */
  files(): readonly RecordedFile[] {
    return [...this.#files.values()].map((file) => ({ ...file, ends: new Map(file.ends) }))
  }

  /**
   * Takes in new files and appended lines; calls wait for each other.
   *
   * @throws EngineError `E_NO_RECORDING` (usage) when there is nothing to read, `E_RECORDING` (stop) naming file and
   * line when a line cannot be placed
   */
  async refresh(): Promise<void> {
    const turn = this.#refreshing.then(() => this.#takeIn())
    this.#refreshing = turn.catch(() => {})
    await turn
  }

  async #takeIn(): Promise<void> {
    for (const name of await recordedTopics(this.#directory)) {
      const path = join(this.#directory, name)
      const file = this.#files.get(name) ?? newFile(name, path)
      this.#files.set(name, file)
      const { size } = await stat(path)
      if (size < file.bytes)
        throw malformedFile(file, 'became shorter: do not rewrite a recording while it is read')
      if (size === file.sizeSeen) continue
      await this.#scan(file, size)
      file.sizeSeen = size
    }
  }

  async #scan(file: GrowingFile, size: number): Promise<void> {
    file.isTorn = false
    for await (const block of readLineBlocks(file.path, file.bytes, size)) {
      for (const { line, end, isTerminated } of linesOf(block)) {
        if (!isTerminated && !isBlank(line) && !isWholeLine(line)) {
          file.isTorn = true
          return
        }
        if (!isBlank(line)) this.#place(file, placeLine(line))
        if (isTerminated) file.lines++
        file.bytes += end
      }
    }
  }

  #place(file: GrowingFile, place: LineCoordinates | MalformedLine): void {
    if (isMalformed(place)) throw malformedLine(file.path, file.lines + 1, place)
    const { topic, partition, offset } = place
    const key = partitionKey(topic, partition)
    const range = this.#partitions.get(key)
    if (range === undefined) {
      this.#partitions.set(key, { topic, partition, startOffset: offset, endOffset: offset + 1n })
    } else if (offset >= range.endOffset) {
      range.endOffset = offset + 1n
    } else {
      throw malformedLine(file.path, file.lines + 1, {
        malformed: `offset ${offset} of partition ${partition} of ${topic} comes after ${range.endOffset - 1n}`,
      })
    }
    file.ends.set(key, offset + 1n)
  }
}

export interface Line {
  readonly line: Buffer
  /** Bytes of the line with its newline. */
  readonly end: number
  readonly isTerminated: boolean
}

export function* linesOf(block: Buffer): Generator<Line> {
  for (let start = 0; start < block.length; ) {
    const newline = block.indexOf(0x0a, start)
    const isTerminated = newline !== -1
    const end = isTerminated ? newline + 1 : block.length
    yield { line: block.subarray(start, isTerminated ? newline : end), end: end - start, isTerminated }
    start = end
  }
}

/** Blank lines hold no record. */
export function isBlank(line: Buffer): boolean {
  return line.length === 0 || (line.length < 80 && line.toString('latin1').trim() === '')
}

export function malformedLine(path: string, line: number, { malformed }: MalformedLine): EngineError {
  return new EngineError('E_RECORDING', 'stop', `${path}:${line} is not a recorded record: ${malformed}`)
}

function malformedFile(file: GrowingFile, what: string): EngineError {
  return new EngineError('E_RECORDING', 'stop', `${file.path} ${what}`)
}

function newFile(name: string, path: string): GrowingFile {
  return { name, path, bytes: 0, lines: 0, isTorn: false, sizeSeen: -1, ends: new Map() }
}

async function recordedTopics(directory: string): Promise<readonly string[]> {
  const names: string[] = []
  const folders: string[] = []
  for (const entry of await entriesOf(directory)) {
    if (entry.isDirectory()) folders.push(entry.name)
    else if (entry.name.endsWith('.jsonl') && !entry.name.startsWith('.')) names.push(entry.name)
  }
  if (names.length === 0 && folders.length > 0) {
    const some = folders.sort(compareUtf8).slice(0, 8)
    throw new EngineError(
      'E_NO_RECORDING',
      'usage',
      `${directory} holds no recorded topics (*.jsonl), only folders; name one of them: ${some.join(', ')}`,
    )
  }
  return names.sort(compareUtf8)
}

async function entriesOf(directory: string) {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw toEngineError(error, `cannot read ${directory}`)
    throw new EngineError(
      'E_NO_RECORDING',
      'usage',
      `${directory} is not a directory of recorded topics; give one that holds *.jsonl files`,
      {},
      error,
    )
  }
}
