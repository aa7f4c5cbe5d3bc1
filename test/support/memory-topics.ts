import { setImmediate as turn } from 'node:timers/promises'
import { EngineError } from '../../core/errors.ts'
import type {
  ChangeSource,
  OffsetRange,
  PartitionPosition,
  PartitionRange,
  RawRecord,
  ReadOptions,
  RecordBatch,
} from '../../core/ports.ts'
import { type EnvelopeParts, envelope } from './envelope-records.ts'

/** Where a record goes. */
export interface Place {
  readonly topic?: string
  readonly partition?: number
}

type Columns = Readonly<Record<string, unknown>>

const TIME_MS = 1_772_368_215_500

/**
 * Topics in memory, and the connector that fills them from a made-up source whose tables are keyed by `id`. An event's
 * place in the history of the source follows from its offset, so that a topic is the same however it was come by.
 */
export class MemoryTopics {
  /** By `topic/partition`. */
  readonly partitions = new Map<string, RawRecord[]>()
  readonly #ends = new Map<string, bigint>()

  /** A row is inserted, updated (`u`) or read by a snapshot (`r`). */
  row(op: 'c' | 'u' | 'r', columns: Columns, place: Place & EnvelopeParts = {}): RawRecord {
    const { key = JSON.stringify({ id: columns['id'] }), ...rest } = place
    return this.event({ op: `"${op}"`, after: JSON.stringify(columns), key, ...rest })
  }

  delete(id: number, place: Place & EnvelopeParts = {}): RawRecord {
    return this.event({ op: '"d"', after: 'null', before: `{"id":${id}}`, key: `{"id":${id}}`, ...place })
  }

  truncate(place: Place & EnvelopeParts = {}): RawRecord {
    return this.event({ op: '"t"', after: null, before: null, ...place })
  }

  /** An envelope for the table that the topic is named for, unless `source` says otherwise. */
  event({ topic = 'shop.public.t', partition = 0, ...parts }: Place & EnvelopeParts): RawRecord {
    const lsn = 1000 + 10 * Number(this.#nextOffset(topic, partition))
    const [schema, table] = topic.split('.').slice(-2)
    const usual = {
      schema: JSON.stringify(schema),
      table: JSON.stringify(table),
      lsn: String(lsn),
      sequence: JSON.stringify(`["${lsn - 5}","${lsn}"]`),
      ts_us: String(TIME_MS * 1000 + lsn),
    }
    const source = typeof parts.source === 'object' && parts.source !== null ? parts.source : {}
    const isGiven = typeof parts.source === 'string' || parts.source === null
    const raw = envelope({ ...parts, source: isGiven ? parts.source! : { ...usual, ...source } })
    return this.append(raw, { topic, partition })
  }

  /** Any bytes at all. */
  raw(
    value: string | Uint8Array | null,
    place: Place & { readonly key?: string | Uint8Array | null } = {},
  ): RawRecord {
    const { key = null } = place
    const bytes = {
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    }
    return this.append({ ...bytes, headers: [] }, place)
  }

  tombstone(id: number, place: Place = {}): RawRecord {
    return this.raw(null, { ...place, key: `{"id":${id}}` })
  }

  heartbeat(place: Place = {}): RawRecord {
    return this.raw('{"ts_ms":1772368215400}', { ...place, key: '{"serverName":"shop"}' })
  }

  /** The same bytes once more, at a new offset. */
  resend(record: RawRecord): RawRecord {
    return this.append(record, record)
  }

  append(record: Pick<RawRecord, 'key' | 'value' | 'headers'>, place: Place): RawRecord {
    const { topic = 'shop.public.t', partition = 0 } = place
    const name = `${topic}/${partition}`
    const records = this.partitions.get(name) ?? []
    this.partitions.set(name, records)
    const offset = this.#nextOffset(topic, partition)
    const placed = { topic, partition, offset, timestampMs: TIME_MS + Number(offset) }
    records.push({ ...placed, key: record.key, value: record.value, headers: record.headers })
    return records.at(-1)!
  }

  /** Offsets that hold no record, as the broker's own markers and compaction leave them. */
  skip(count: number, { topic = 'shop.public.t', partition = 0 }: Place = {}): void {
    const name = `${topic}/${partition}`
    this.#ends.set(name, this.#nextOffset(topic, partition) + BigInt(count))
    if (!this.partitions.has(name)) this.partitions.set(name, [])
  }

  /** The offset after the last one of a partition, by `topic/partition`. */
  endOf(name: string): bigint {
    const next = (this.partitions.get(name)?.at(-1)?.offset ?? -1n) + 1n
    const end = this.#ends.get(name) ?? 0n
    return next > end ? next : end
  }

  /** Retention: records before `offset` are gone. */
  cutBefore(offset: bigint, place: Place = {}): void {
    const { topic = 'shop.public.t', partition = 0 } = place
    const name = `${topic}/${partition}`
    this.partitions.set(
      name,
      this.partitions.get(name)!.filter((record) => record.offset >= offset),
    )
  }

  #nextOffset(topic: string, partition: number): bigint {
    return this.endOf(`${topic}/${partition}`)
  }
}

export interface MemorySourceOptions {
  /** Records in a batch. */
  readonly batchRecords?: number
  /** Runs before a batch is given out, and before each `null` of a live source. */
  readonly beforeBatch?: (batch: number) => void | Promise<void>
}

/** `MemoryTopics` as a source: partitions take turns, a batch each. */
export class MemoryChangeSource implements ChangeSource {
  readonly acks: (readonly PartitionPosition[])[] = []
  readonly #topics: MemoryTopics
  readonly #options: MemorySourceOptions

  constructor(topics: MemoryTopics, options: MemorySourceOptions = {}) {
    this.#topics = topics
    this.#options = options
  }

  async partitions(): Promise<readonly PartitionRange[]> {
    return [...this.#topics.partitions].map(([name, records]) => ({
      ...placeOf(name),
      startOffset: records[0]?.offset ?? 0n,
      endOffset: this.#topics.endOf(name),
    }))
  }

  async *read({ untilEnd, startAt }: ReadOptions): AsyncGenerator<RecordBatch | null> {
    const { batchRecords = 1000, beforeBatch = () => {} } = this.#options
    const next = new Map<string, bigint | null>()
    for (let given = 0; ; ) {
      let hasMore = false
      for (const range of await this.partitions()) {
        const name = `${range.topic}/${range.partition}`
        if (!next.has(name)) next.set(name, await startAt(range))
      }
      for (const [name, records] of this.#topics.partitions) {
        const at = next.get(name) ?? null
        if (at === null) continue
        const unread = records.filter((record) => record.offset >= at)
        const batch = unread.slice(0, batchRecords)
        const end = this.#topics.endOf(name)
        if (at >= end) continue
        hasMore = true
        // As with a broker, whatever can be done meanwhile is done.
        await turn()
        await beforeBatch(given++)
        const nextOffset = batch.length < unread.length ? batch.at(-1)!.offset + 1n : end
        next.set(name, nextOffset)
        yield batchOf(name, batch, nextOffset)
      }
      if (hasMore) continue
      if (untilEnd) return
      await turn()
      await beforeBatch(given++)
      yield null
    }
  }

  async *readRange({ topic, partition, fromOffset, toOffset }: OffsetRange): AsyncGenerator<RecordBatch> {
    const { batchRecords = 1000 } = this.#options
    const name = `${topic}/${partition}`
    const kept = this.#topics.partitions.get(name) ?? []
    if ((kept[0]?.offset ?? 0n) > fromOffset) throw new EngineError('E_OFFSET_GAP', 'stop-table', 'gone')
    const records = kept.filter(({ offset }) => offset >= fromOffset && offset < toOffset)
    for (let at = 0; at < records.length; at += batchRecords) {
      const batch = records.slice(at, at + batchRecords)
      yield batchOf(name, batch, batch.at(-1)!.offset + 1n)
    }
  }

  async stillHolds(): Promise<boolean> {
    return true
  }

  async ack(positions: readonly PartitionPosition[]): Promise<void> {
    this.acks.push(positions)
  }

  async close(): Promise<void> {}
}

function batchOf(name: string, records: readonly RawRecord[], nextOffset: bigint): RecordBatch {
  const sizeBytes = records.reduce(
    (sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0),
    0,
  )
  return { ...placeOf(name), records, nextOffset, sizeBytes }
}

function placeOf(name: string): { topic: string; partition: number } {
  const slash = name.lastIndexOf('/')
  return { topic: name.slice(0, slash), partition: Number(name.slice(slash + 1)) }
}
