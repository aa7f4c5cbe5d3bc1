import { EngineError } from '../core/errors.ts'
import type { ChangeSource, SourceDatabase } from '../core/ports.ts'
import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import { partitionName } from '../writers/partition-name.ts'
import { readProgress } from '../writers/table-progress.ts'

/** Where the stream stood when it was asked: everything committed before is in front of these places. */
export interface StreamMark {
  /** Position in the source's log behind all that was committed. */
  readonly lsn: bigint
  /** `topic/partition` → its end, once the connector has confirmed the position; `null`: it has not yet. */
  ends: ReadonlyMap<string, bigint> | null
  /** What the pipeline had noted when it was last asked: a version that is loaded later holds all of it. */
  passed?: ReadonlyMap<string, bigint>
}

/** Tells when a table of the lake holds all that the source had committed at a moment. */
export interface StreamBarrier {
  mark(): Promise<StreamMark>
  /** As `mark`, of all that was committed before a place in the source's log. */
  markAt(lsn: bigint): Promise<StreamMark>
  /** Whether the version holds everything before the mark. To be asked again with one that is loaded after this was answered. */
  isPassed(mark: StreamMark, snapshot: TableSnapshot): Promise<boolean>
}

/** For a lake that is complete by itself: its pipeline reads files, which have an end. */
export const NO_STREAM: StreamBarrier = {
  mark: async () => ({ lsn: 0n, ends: new Map() }),
  markAt: async (lsn) => ({ lsn, ends: new Map() }),
  isPassed: async () => true,
}

/** What the tables do not tell of their stream. */
export interface StreamRoutes {
  /** Whether a topic tells of a table, also where the table has applied nothing of it yet. */
  feeds(topic: string, table: TableSnapshot): boolean
  /** `topic/partition` → the offset that the pipeline has noted to be behind a table, whatever of it was applied. */
  passed(table: TableSnapshot): Promise<ReadonlyMap<string, bigint>>
}

export interface LiveStreamOptions {
  readonly database: SourceDatabase
  readonly topics: ChangeSource
  readonly routes: StreamRoutes
  readonly pipeline: string
  /** The connector's replication slot. */
  readonly slot: string
}

/** Records behind a table's position that are looked at: those that change nothing hold up nobody. */
const RECORDS_READ_MAX = 1000n

/**
 * A stream of Debezium through a slot of Postgres. A partition has passed the mark when the table has applied an event
 * of a transaction that came after it, or has come to where the partition ended when the connector had confirmed it.
 *
 * @see reliability §4 steps 2 and 3
 */
export class LiveStream implements StreamBarrier {
  readonly #options: LiveStreamOptions

  constructor(options: LiveStreamOptions) {
    this.#options = options
  }

  async mark(): Promise<StreamMark> {
    return { lsn: parseLsn(await this.#emit()), ends: null }
  }

  /** The message lets a connector confirm a place behind which nothing else has happened. */
  async markAt(lsn: bigint): Promise<StreamMark> {
    await this.#emit()
    return { lsn, ends: null }
  }

  async isPassed(mark: StreamMark, snapshot: TableSnapshot): Promise<boolean> {
    const { routes, pipeline } = this.#options
    const { nextOffsets, marks } = readProgress(snapshot.txns, pipeline)
    const topics = new Set([...nextOffsets.keys()].map(topicOf))
    const behind = new Map<string, bigint>()
    for (const { topic, partition, startOffset, endOffset } of await this.#options.topics.partitions()) {
      const name = partitionName(topic, partition)
      if (endOffset === 0n || !(topics.has(topic) || routes.feeds(topic, snapshot))) continue
      const applied = marks.get({ topic, partition })?.position.seq ?? 0n
      if (applied < mark.lsn) behind.set(name, nextOffsets.get(name) ?? startOffset)
    }
    if (behind.size === 0) return true
    mark.ends ??= await this.#endsAfter(mark.lsn)
    if (mark.ends === null) return false
    const passed = mark.passed
    mark.passed = await routes.passed(snapshot)
    for (const [name, applied] of behind) {
      const noted = passed?.get(name) ?? 0n
      const next = noted > applied ? noted : applied
      if (!(await this.#holdsAll(name, next, mark.ends.get(name) ?? 0n))) return false
    }
    return true
  }

  /** A message in the log lets the connector move on where nothing else happens. */
  async #emit(): Promise<string> {
    const { database } = this.#options
    try {
      const sql = `SELECT pg_logical_emit_message(true, 'alluvium.dq', '')::text AS lsn`
      return await database.session(async (session) => (await session.query('dq.mark', sql))[0]!['lsn']!)
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy === 'retry') throw error
      // A login that may only read has to wait for the connector's own heartbeat.
      return (await database.query('dq.mark', 'SELECT pg_current_wal_insert_lsn()::text AS lsn'))[0]!['lsn']!
    }
  }

  async #endsAfter(lsn: bigint): Promise<ReadonlyMap<string, bigint> | null> {
    const { database, topics, slot } = this.#options
    const [row] = await database.query(
      'dq.slot',
      'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
      [slot],
    )
    if (row === undefined) throw noSlot(slot, database.location)
    if (row['lsn'] == null || parseLsn(row['lsn']) < lsn) return null
    const ranges = await topics.partitions()
    return new Map(ranges.map((range) => [partitionName(range.topic, range.partition), range.endOffset]))
  }

  /** Whether nothing between the table's position and the end changes a row: Kafka tombstones and gaps do not. */
  async #holdsAll(name: string, next: bigint, end: bigint): Promise<boolean> {
    if (next >= end) return true
    if (end - next > RECORDS_READ_MAX) return false
    const topic = topicOf(name)
    const range = { topic, partition: Number(name.slice(topic.length + 1)) }
    for await (const batch of this.#options.topics.readRange({ ...range, fromOffset: next, toOffset: end })) {
      if (batch.records.some((record) => record.value !== null)) return false
    }
    return true
  }
}

/** Of `topic/partition`. */
function topicOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/'))
}

/** `16/B374D848` as a number. */
export function parseLsn(text: string): bigint {
  const [high, low] = text.split('/') as [string, string]
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

function noSlot(slot: string, location: string): EngineError {
  return new EngineError(
    'E_NO_SLOT',
    'usage',
    `there is no replication slot ${slot} in ${location}; name the connector's slot with --slot`,
  )
}
