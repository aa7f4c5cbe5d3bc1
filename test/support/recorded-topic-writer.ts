import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FLUSH_CHARS = 1 << 20

export interface RecordToWrite {
  readonly partition: number
  readonly timestampMs: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** Writes a recorded topic, a record a line, with dense offsets in each partition; never holds more than a part of it. */
export class RecordedTopicWriter {
  readonly #topic: string
  readonly #file: number
  readonly #nextOffsets: number[] = []
  #pending = ''
  #records = 0

  constructor(directory: string, topic: string) {
    this.#topic = topic
    this.#file = openSync(join(directory, `${topic}.jsonl`), 'wx')
  }

  get records(): number {
    return this.#records
  }

  append(record: RecordToWrite): void {
    const offset = this.#nextOffsets[record.partition] ?? 0
    this.#nextOffsets[record.partition] = offset + 1
    this.#records++
    this.#pending += `${JSON.stringify({
      topic: this.#topic,
      partition: record.partition,
      offset,
      timestamp: record.timestampMs,
      timestampType: 'create',
      key: record.key,
      value: record.value,
      headers: record.headers,
    })}\n`
    if (this.#pending.length >= FLUSH_CHARS) this.#flush()
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }

  #flush(): void {
    writeSync(this.#file, this.#pending)
    this.#pending = ''
  }
}
