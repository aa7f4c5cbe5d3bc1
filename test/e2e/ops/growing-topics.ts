import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

export type WrittenOperation = 'c' | 'u' | 'd'

/** Recorded topics that grow while they are read: envelopes as Debezium writes them, of this very moment. */
export class GrowingTopics {
  /** Records written, by table and operation. */
  readonly written = new Map<string, number>()
  readonly #directory: string
  readonly #offsets = new Map<string, number>()
  #lsn = 1000

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  change(table: string, op: WrittenOperation, id: number): void {
    const now = Date.now()
    this.#lsn += 8
    const sequence = JSON.stringify([String(this.#lsn - 8), String(this.#lsn)])
    const source = {
      ...{ version: '3.7.0.Final', connector: 'postgresql', name: 'shop', ts_ms: now, snapshot: 'false' },
      ...{ db: 'shop', sequence, schema: 'public', table, txId: this.#lsn, lsn: this.#lsn },
    }
    const row = { id, v: `value of ${now}` }
    const value = { op, before: op === 'd' ? { id, v: null } : null, after: op === 'd' ? null : row, source }
    this.#append(`shop.public.${table}`, JSON.stringify({ id }), JSON.stringify({ ...value, ts_ms: now }))
    const name = `public.${table} ${op}`
    this.written.set(name, (this.written.get(name) ?? 0) + 1)
  }

  unreadable(table: string): void {
    this.#append(`shop.public.${table}`, '{"id":1}', '{"op":')
  }

  heartbeat(): void {
    const ts_ms = Date.now()
    this.#append('__debezium-heartbeat.shop', '{"serverName":"shop"}', JSON.stringify({ ts_ms }))
  }

  #append(topic: string, key: string, value: string): void {
    const offset = this.#offsets.get(topic) ?? 0
    this.#offsets.set(topic, offset + 1)
    const place = { topic, partition: 0, offset, timestamp: Date.now(), timestampType: 'create' }
    const line = JSON.stringify({ ...place, key, value, headers: [] })
    appendFileSync(join(this.#directory, `${topic}.jsonl`), `${line}\n`)
  }
}
