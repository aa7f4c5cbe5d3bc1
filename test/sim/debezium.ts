import type { RawRecord } from '../../core/ports.ts'
import { envelope } from '../support/envelope-records.ts'
import type { SeededRandom } from '../support/seeded-random.ts'
import type { Effect, History, Place, Row } from './history.ts'
import { nameOf, type SimBroker } from './sim-broker.ts'
import type { TablePlan } from './table-plan.ts'
import { rowText } from './table-truth.ts'
import type { Trace } from './trace.ts'

export const UNAVAILABLE = '__debezium_unavailable_value'
const TIME_US = 1_772_368_215_000_000

/** One change as the connector tells it. */
export interface Told {
  readonly table: TablePlan
  readonly op: 'r' | 'c' | 'u' | 'd' | 't'
  /** Chooses topic and partition. */
  readonly shard: number
  readonly key: Row | null
  readonly before: Row | null
  readonly after: Row | null
  readonly oldKey?: Row
  readonly newKey?: Row
  readonly place: Place
  /** The first transaction after a snapshot has no commit before it. */
  readonly isFirst: boolean
  readonly tx: number
  readonly effect: Effect | null
}

interface Sent {
  readonly topic: string
  readonly partition: number
  readonly record: Pick<RawRecord, 'key' | 'value' | 'headers'>
  readonly place: Place
  /** Table and partition, of a table whose rows have no key. */
  readonly keylessFeed: string | null
}

/** Records by what they are to a reader that knows nothing of their tables. */
export interface Counts {
  records: number
  tombstones: number
  control: number
  deadLetters: number
}

/** Puts changes on the topics, in the bytes of a real one, and notes what each means. */
export class Debezium {
  readonly counts: Counts = { records: 0, tombstones: 0, control: 0, deadLetters: 0 }
  readonly #broker: SimBroker
  readonly #history: History
  readonly #random: SeededRandom
  readonly #trace: Trace
  /** Streamed records as they were sent first. */
  readonly #sent: Sent[] = []
  /** `null`: a release that does not tell its runs. */
  #run: number | null

  constructor(broker: SimBroker, history: History, random: SeededRandom, trace: Trace, tellsRuns: boolean) {
    this.#run = tellsRuns ? 1 : null
    this.#broker = broker
    this.#history = history
    this.#random = random
    this.#trace = trace
  }

  tell(told: Told): void {
    const { table, op, key, place } = told
    const target = this.targetOf(table, op === 't' ? 0 : told.shard)
    const record = envelope({
      op: JSON.stringify(op),
      before: op === 't' ? null : JSON.stringify(told.before),
      after: op === 't' ? null : JSON.stringify(told.after),
      source: sourceOf(told),
      key: key === null ? null : JSON.stringify(key),
      headers: headersOf(told),
    })
    const offset = this.#append(target, record)
    const row = op === 't' ? '' : rowText(told.after ?? told.key ?? told.before!)
    this.#trace.note('source', `${nameOf(target)}@${offset} ${table.name} ${op} at ${place} ${row}`)
    if (told.effect !== null) {
      this.#history.note(nameOf(target), { offset, table: table.name, effect: told.effect })
    }
    if (op === 'r') return
    const isKeyless = table.kind === 'bag' || table.kind === 'append'
    const keylessFeed = isKeyless ? `${table.name} ${nameOf(target)}` : null
    this.#sent.push({ ...target, record, place, keylessFeed })
    if (op !== 'd' || key === null) return
    const tombstone = { key: record.key, value: null, headers: record.headers }
    this.#append(target, tombstone)
    this.#sent.push({ ...target, record: tombstone, place, keylessFeed })
  }

  targetOf({ topics, partitions }: TablePlan, shard: number): { topic: string; partition: number } {
    return {
      topic: topics[shard % topics.length]!,
      partition: Math.floor(shard / topics.length) % partitions,
    }
  }

  /**
   * A real tail begins at or before the last commit that was kept, and never in the middle of a position. Of rows
   * without a key, one that comes again at once can only be told from one more of the same COPY by its run.
   */
  #mayBegin(tail: readonly Sent[], before: Sent | undefined): boolean {
    if (this.#run === null) return beginsBelowItsEnd(tail)
    return before === undefined || tail[0]?.place[1] !== before.place[1]
  }

  /** Connect was killed before its offsets were kept: the tail comes again, byte for byte but for its run. */
  resend(count: number): void {
    for (let from = Math.max(0, this.#sent.length - count); from >= 0; from--) {
      const tail = this.#sent.slice(from)
      if (!this.#mayBegin(tail, this.#sent[from - 1])) continue
      if (this.#run !== null) this.#run++
      for (const { topic, partition, record, place } of tail) {
        const offset = this.#append({ topic, partition }, record)
        this.#trace.note('source', `${topic}/${partition}@${offset} again ${place}`)
      }
      return
    }
  }

  /** Bytes that are no event. */
  garbage(table: TablePlan): void {
    const target = this.targetOf(table, this.#random.below(100))
    const value = Buffer.from('{"before":null,"after":{"id":')
    const offset = this.#append(target, { key: null, value, headers: [] })
    this.counts.deadLetters++
    this.#history.letters.push({ ...target, offset })
    this.#trace.note('source', `${nameOf(target)}@${offset} garbage`)
  }

  heartbeat(table: TablePlan): void {
    const key = Buffer.from('{"serverName":"shop"}')
    const value = Buffer.from('{"ts_ms":1772368215400}')
    this.#append(this.targetOf(table, this.#random.below(100)), { key, value, headers: [] })
    this.counts.control++
  }

  #append(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    record: Pick<RawRecord, 'key' | 'value' | 'headers'>,
  ): bigint {
    this.counts.records++
    if (record.value === null) this.counts.tombstones++
    if (this.#random.chance(0.05)) this.#broker.skip(topic, partition, 1 + this.#random.below(3))
    const { headers } = record
    const run: RawRecord['headers'] =
      this.#run === null ? [] : [['__debezium.context.runId', Buffer.from(`run ${this.#run}`)]]
    return this.#broker.append(topic, partition, { ...record, headers: [...headers, ...run] }).offset
  }
}

/** Whether of each table without a key in each partition more than one position comes again. */
function beginsBelowItsEnd(tail: readonly Sent[]): boolean {
  const places = new Map<string, Set<number>>()
  for (const { keylessFeed, place } of tail) {
    if (keylessFeed === null) continue
    const seen = places.get(keylessFeed) ?? new Set()
    places.set(keylessFeed, seen.add(place[1]))
  }
  return [...places.values()].every((seen) => seen.size > 1)
}

function sourceOf({ table, op, place: [seq, lsn], isFirst, tx }: Told): Record<string, string> {
  const [schema, name] = table.name.split('.')
  const last = op === 'r' || isFirst ? 'null' : `\\"${seq}\\"`
  const timeUs = TIME_US + tx * 1000
  return {
    schema: JSON.stringify(schema),
    table: JSON.stringify(name),
    sequence: `"[${last},\\"${lsn}\\"]"`,
    lsn: String(lsn),
    txId: String(tx),
    snapshot: op === 'r' ? '"true"' : '"false"',
    ts_us: String(timeUs),
    ts_ms: String(Math.floor(timeUs / 1000)),
    ts_ns: `${timeUs}000`,
  }
}

function headersOf({ oldKey, newKey }: Told): [string, string][] {
  const headers: [string, string][] = []
  if (newKey !== undefined) headers.push(['__debezium.newkey', JSON.stringify(newKey)])
  if (oldKey !== undefined) headers.push(['__debezium.oldkey', JSON.stringify(oldKey)])
  return headers
}
