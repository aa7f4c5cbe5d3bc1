import { EngineError } from '../../core/errors.ts'
import type {
  ChangeSource,
  Clock,
  OffsetRange,
  PartitionRange,
  RawRecord,
  ReadOptions,
  RecordBatch,
} from '../../core/ports.ts'
import { toEngineError } from './fs-error.ts'
import { readLineBlocks } from './line-blocks.ts'
import { isMalformed, type LineCoordinates, parseLine, placeLine } from './recorded-line.ts'
import {
  isBlank,
  linesOf,
  malformedLine,
  partitionKey,
  type RecordedFile,
  RecordingIndex,
} from './recording-index.ts'
import { UsualLineReader } from './usual-line.ts'

const BATCH_BYTES_MAX = 1024 * 1024
const BATCH_RECORDS_MAX = 4096
/** How soon an appended line is seen. */
const POLL_MS = 200

/** Where to read a partition from, by `partitionKey`; `null`: not at all. */
type Positions = ReadonlyMap<string, bigint | null>

/** How far a file has been read. */
interface Reached {
  bytes: number
  lines: number
}

/**
 * Recorded topics as a source: each `.jsonl` file of a directory, a record a line (form: see `parseLine`). Folders and
 * other files are ignored. Files are read one after the other in the order of their names and never held whole.
 */
export class FileSource implements ChangeSource {
  readonly #directory: string
  readonly #clock: Clock
  readonly #index: RecordingIndex
  readonly #closed = new AbortController()
  #isIndexed = false

  constructor(directory: string, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
    this.#index = new RecordingIndex(directory)
  }

  async partitions(): Promise<readonly PartitionRange[]> {
    await this.#refresh()
    return this.#index.partitions()
  }

  async *read(options: ReadOptions): AsyncGenerator<RecordBatch | null> {
    if (!this.#isIndexed) await this.#refresh()
    const positions = new Map<string, bigint | null>()
    const reached = new Map<string, Reached>()
    const { signal } = this.#closed
    while (true) {
      const files = this.#index.files()
      await this.#askForNew(positions, options)
      for (const file of files) yield* this.#readFile(file, positions, reached)
      if (options.untilEnd) return refuseTorn(files)
      await this.#refresh()
      while (!this.#hasGrown(reached)) {
        if (signal.aborted) return
        yield null
        await this.#clock.sleep(POLL_MS, signal)
        await this.#refresh()
      }
      if (signal.aborted) return
    }
  }

  async *readRange({ topic, partition, fromOffset, toOffset }: OffsetRange): AsyncGenerator<RecordBatch> {
    if (!this.#isIndexed) await this.#refresh()
    const known = this.#index
      .partitions()
      .find((each) => each.topic === topic && each.partition === partition)
    if (known !== undefined && known.startOffset > fromOffset) {
      const what = `the recording begins at ${known.startOffset}, behind ${fromOffset}`
      throw new EngineError('E_OFFSET_GAP', 'stop-table', what, { topic, partition, offset: fromOffset })
    }
    const positions = new Map([[partitionKey(topic, partition), fromOffset]])
    for (const file of this.#index.files()) {
      for await (const batch of this.#readFile(file, positions, new Map())) {
        const records = batch.records.filter(({ offset }) => offset < toOffset)
        if (records.length > 0) yield { ...batch, records }
        if (batch.nextOffset >= toOffset) return
      }
    }
  }

  /** Partitions that were not there before are asked for, all before the first record of any of them. */
  async #askForNew(positions: Map<string, bigint | null>, { startAt }: ReadOptions): Promise<void> {
    for (const range of this.#index.partitions()) {
      const key = partitionKey(range.topic, range.partition)
      if (!positions.has(key)) positions.set(key, await startAt(range))
    }
  }

  /** The files know nothing of their readers. */
  /** Nobody shares files out. */
  async stillHolds(): Promise<boolean> {
    return true
  }

  async ack(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed.abort()
  }

  async #refresh(): Promise<void> {
    try {
      await this.#index.refresh()
      this.#isIndexed = true
    } catch (error) {
      throw toEngineError(error, `cannot read ${this.#directory}`)
    }
  }

  #hasGrown(reached: ReadonlyMap<string, Reached>): boolean {
    return this.#index.files().some((file) => file.bytes > (reached.get(file.name)?.bytes ?? 0))
  }

  async *#readFile(
    file: RecordedFile,
    positions: Positions,
    reached: Map<string, Reached>,
  ): AsyncGenerator<RecordBatch> {
    const at = reached.get(file.name) ?? { bytes: 0, lines: 0 }
    reached.set(file.name, at)
    if (at.bytes === file.bytes) return
    if (isPassed(file, positions)) {
      at.bytes = file.bytes
      at.lines = file.lines
      return
    }
    const reader = new BatchReader(file.path, positions, at)
    try {
      for await (const block of readLineBlocks(file.path, at.bytes, file.bytes)) {
        yield* reader.batchesOf(block)
        if (this.#closed.signal.aborted) return
      }
    } catch (error) {
      throw toEngineError(error, `cannot read ${file.path}`)
    }
  }
}

/** Whether no record of the file is asked for. */
function isPassed(file: RecordedFile, positions: Positions): boolean {
  for (const [partition, end] of file.ends) {
    const from = positions.get(partition) ?? null
    if (from !== null && from < end) return false
  }
  return true
}

/** Turns the lines of one file into batches. */
class BatchReader {
  readonly #path: string
  readonly #positions: Positions
  readonly #at: Reached
  readonly #usual = new UsualLineReader()
  #topic = ''
  #partition = -1
  /** The position asked for in that partition. */
  #from: bigint | null = null

  constructor(path: string, positions: Positions, at: Reached) {
    this.#path = path
    this.#positions = positions
    this.#at = at
  }

  /** Cuts a block of lines into batches of one partition each, and moves `at` along. */
  *batchesOf(block: Buffer): Generator<RecordBatch> {
    this.#usual.begin(block.length)
    let batch: OpenBatch | null = null
    for (const { line, end, isTerminated } of linesOf(block)) {
      const record = isBlank(line) ? null : this.#readLine(line)
      this.#at.bytes += end
      if (isTerminated) this.#at.lines++
      if (record === null) continue
      if (batch !== null && (isFull(batch) || !isSamePartition(batch, record))) {
        yield closed(batch)
        batch = null
      }
      batch ??= { topic: record.topic, partition: record.partition, records: [], sizeBytes: 0 }
      batch.records.push(record)
      batch.sizeBytes += sizeOf(record)
    }
    if (batch !== null) yield closed(batch)
  }

  /** @returns `null` when the record is not asked for */
  #readLine(line: Buffer): RawRecord | null {
    const place = placeLine(line)
    if (isMalformed(place)) throw malformedLine(this.#path, this.#at.lines + 1, place)
    this.#enter(place)
    if (this.#from === null || place.offset < this.#from) return null
    const at = { topic: this.#topic, partition: place.partition, offset: place.offset }
    const record = this.#usual.read(line, at) ?? parseLine(line, at)
    if (isMalformed(record)) throw malformedLine(this.#path, this.#at.lines + 1, record)
    return record
  }

  #enter({ topic, partition }: LineCoordinates): void {
    if (partition === this.#partition && topic === this.#topic) return
    this.#topic = topic
    this.#partition = partition
    this.#from = this.#positions.get(partitionKey(topic, partition)) ?? null
  }
}

interface OpenBatch {
  readonly topic: string
  readonly partition: number
  readonly records: RawRecord[]
  sizeBytes: number
}

function isFull(batch: OpenBatch): boolean {
  return batch.sizeBytes >= BATCH_BYTES_MAX || batch.records.length >= BATCH_RECORDS_MAX
}

function isSamePartition(batch: OpenBatch, record: RawRecord): boolean {
  return batch.partition === record.partition && batch.topic === record.topic
}

function closed({ topic, partition, records, sizeBytes }: OpenBatch): RecordBatch {
  return { topic, partition, records, nextOffset: records.at(-1)!.offset + 1n, sizeBytes }
}

/** Key, value and headers, as a broker counts them. */
function sizeOf(record: RawRecord): number {
  let size = (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const [name, value] of record.headers) size += name.length + (value?.length ?? 0)
  return size
}

function refuseTorn(files: readonly RecordedFile[]): void {
  for (const file of files) {
    if (file.isTorn)
      throw malformedLine(file.path, file.lines + 1, { malformed: 'it is cut off at the end of the file' })
  }
}
