import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

/** Rows that the stream inserts and never speaks of again. */
const COLD = 200
/** Rows that it updates all the time. */
const HOT = 100
const EVENTS_PER_STEP = 5

/** A recorded topic of one table that grows while it is read; it knows what the table must hold. */
export class GrowingTopic {
  /** Values by id, as the source has them. */
  readonly rows = new Map<number, string>()
  readonly #file: string
  readonly #topic: string
  readonly #table: string
  #offset = 0
  #timer: NodeJS.Timeout | null = null

  constructor(directory: string, table: string) {
    this.#table = table
    this.#topic = `source.public.${table}`
    this.#file = join(directory, `${this.#topic}.jsonl`)
    this.#write(Array.from({ length: COLD + HOT }, (_, id) => this.#event('c', id)))
  }

  /** A few updates at once, and again each time so much time has passed. */
  every(ms: number): void {
    this.stop()
    this.#timer = setInterval(() => this.step(), ms)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Updates of a few hot rows. */
  step(): void {
    const ids = Array.from({ length: EVENTS_PER_STEP }, (_, i) => COLD + ((this.#offset + i * 17) % HOT))
    this.#write(ids.map((id) => this.#event('u', id)))
  }

  #write(lines: readonly string[]): void {
    appendFileSync(this.#file, lines.map((line) => `${line}\n`).join(''))
  }

  #event(op: 'c' | 'u', id: number): string {
    const offset = this.#offset++
    const row = { id, value: `${op}${offset}` }
    this.rows.set(id, row.value)
    const at = 1_772_368_215_000 + offset
    const source = {
      connector: 'postgresql',
      name: 'source',
      db: 'd',
      schema: 'public',
      table: this.#table,
      lsn: 1000 + offset,
      version: '3.7.0.Final',
      txId: offset,
      ts_ms: at,
      sequence: `["${999 + offset}","${1000 + offset}"]`,
    }
    return JSON.stringify({
      topic: this.#topic,
      partition: 0,
      offset,
      timestamp: at,
      timestampType: 'CreateTime',
      key: JSON.stringify({ id }),
      value: JSON.stringify({ before: null, after: row, op, ts_ms: at, source }),
      headers: [],
    })
  }
}
