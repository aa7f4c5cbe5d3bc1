import { EngineError } from '../../core/errors.ts'
import type { ChangeSource, OffsetRange, RecordBatch } from '../../core/ports.ts'
import type { TopicWork } from './topic-work.ts'

/** Batches of the past between two of the stream, so that a table gains on it. */
const BATCHES = 8
/** So few offsets are read at one go, while the stream waits: the table then joins it. */
const LAST_OFFSETS = 20_000n

/** Reads for tables that stood still what they missed, beside the stream. */
export class CatchUpReader {
  readonly #source: ChangeSource
  readonly #work: TopicWork
  readonly #reading = new Map<string, Reading>()

  constructor(source: ChangeSource, work: TopicWork) {
    this.#source = source
    this.#work = work
  }

  /** @param tables that catch up now */
  async step(tables: readonly string[]): Promise<void> {
    for (const [table, { batches }] of this.#reading) {
      if (tables.includes(table)) continue
      this.#reading.delete(table)
      await batches.return?.()
    }
    for (const table of tables) {
      for (let left = BATCHES; left > 0; left--) {
        const reading = await this.#readingOf(table)
        if (reading === null) break
        if (reading.left <= LAST_OFFSETS) left++
        await this.#take(table, reading)
      }
    }
  }

  async #readingOf(table: string): Promise<Reading | null> {
    const known = this.#reading.get(table)
    if (known !== undefined) return known
    const range = await this.#work.nextRange(table, await this.#source.partitions())
    if (range === null) return null
    const batches = this.#source.readRange(range)[Symbol.asyncIterator]()
    const reading = { range, left: range.left, batches }
    this.#reading.set(table, reading)
    return reading
  }

  async #take(table: string, { range, batches }: Reading): Promise<void> {
    try {
      await this.#work.room()
      const next = await batches.next()
      if (next.done !== true) return await this.#work.takeRange(table, next.value)
      await this.#work.endRange(table, range)
    } catch (error) {
      // Whoever asks for the next range is told what is gone.
      if (!(error instanceof EngineError) || error.code !== 'E_OFFSET_GAP') throw error
    }
    this.#reading.delete(table)
  }
}

interface Reading {
  readonly range: OffsetRange
  readonly left: bigint
  readonly batches: AsyncIterator<RecordBatch>
}
