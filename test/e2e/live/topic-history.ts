import { createHash } from 'node:crypto'
import type { Admin, Kafka } from 'kafkajs'

/** What the topics of a connector hold, seen as a history: what was sent, what was sent again, and in what order. */
export interface TopicHistory {
  readonly records: number
  readonly changes: number
  /** The most that the connector wrote within one second. */
  readonly recordsPerSecondMax: number
  /** Changes that were sent more than once, each time after the first. */
  readonly resent: number
  /** Of these: rows that came again in the shape that their table has had since, with columns that they did not have. */
  readonly reshaped: number
  /** How often the position of new changes fell by LSN alone, and by the pair of `sequence[0]` and LSN. */
  readonly lsnFalls: number
  readonly pairFalls: number
  /** What a connector may never do, one sentence each. */
  readonly violations: readonly string[]
  /** Table → `rev` → how many row versions carry it, repetitions left out. */
  readonly revisions: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/** Reads topics from the first record to the last one there is now. */
export async function readHistory(
  kafka: Kafka,
  admin: Admin,
  topics: readonly string[],
): Promise<TopicHistory> {
  const left = new Set<string>()
  const ends = new Map<string, bigint>()
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (low === high) continue
      left.add(`${topic}/${partition}`)
      ends.set(`${topic}/${partition}`, BigInt(high))
    }
  }
  const history = new HistoryReader()
  const consumer = kafka.consumer({ groupId: 'history', maxBytesPerPartition: 4_000_000 })
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  await new Promise<void>((done, fail) => {
    consumer.on('consumer.crash', ({ payload }) => fail(payload.error))
    consumer
      .run({
        eachBatch: async ({ batch }) => {
          const name = `${batch.topic}/${batch.partition}`
          for (const { key, value, timestamp } of batch.messages) {
            history.noteTime(timestamp)
            history.see(name, key, value)
          }
          if (BigInt(batch.lastOffset()) + 1n >= (ends.get(name) ?? 0n)) left.delete(name)
          if (left.size === 0) done()
        },
      })
      .catch(fail)
  })
  await consumer.disconnect()
  return history
}

interface Position {
  readonly seq: bigint
  readonly lsn: bigint
}

class HistoryReader implements TopicHistory {
  records = 0
  changes = 0
  recordsPerSecondMax = 0
  resent = 0
  reshaped = 0
  lsnFalls = 0
  pairFalls = 0
  readonly violations: string[] = []
  readonly revisions = new Map<string, Map<string, number>>()
  /** Highest position of each partition. */
  readonly #highest = new Map<string, Position>()
  readonly #inSecond = new Map<string, number>()
  readonly #lastLsn = new Map<string, bigint>()
  /** Key, operation, LSN and transaction of a change → how it was first sent. */
  readonly #sent = new Map<string, { readonly source: string; readonly images: string }>()

  noteTime(timestampMs: string): void {
    const second = timestampMs.slice(0, -3)
    const count = (this.#inSecond.get(second) ?? 0) + 1
    this.#inSecond.set(second, count)
    this.recordsPerSecondMax = Math.max(this.recordsPerSecondMax, count)
  }

  see(partition: string, key: Buffer | null, value: Buffer | null): void {
    this.records++
    if (value === null) return
    const { images, source, op } = slicesOf(value.toString())
    if (op === 'r') {
      this.#noteRevision(partition, images)
      return
    }
    this.changes++
    const at = positionOf(source)
    // A record without a key may go to another partition when it is sent again.
    const road = key === null ? topicOf(partition) : `${partition}|${key.toString()}`
    const id = [road, op, at.lsn, txIdOf(source)].join('|')
    const first = this.#sent.get(id)
    if (first !== undefined) {
      this.resent++
      if (first.source !== source)
        this.violations.push(`${partition}: ${first.source} was sent again as ${source}`)
      if (first.images !== digest(images)) this.reshaped++
      return
    }
    this.#sent.set(id, { source, images: digest(images) })
    this.#noteRevision(partition, images)
    // A TRUNCATE has no key: sent again, it may lie in another partition, and be read here before the first.
    if (op !== 't') this.#judgeOrder(partition, at)
  }

  #judgeOrder(partition: string, at: Position): void {
    if (at.lsn < (this.#lastLsn.get(partition) ?? 0n)) this.lsnFalls++
    this.#lastLsn.set(partition, at.lsn)
    const highest = this.#highest.get(partition)
    if (highest !== undefined && isBelow(at, highest)) {
      this.pairFalls++
      this.violations.push(
        `${partition}: a new change at ${at.seq},${at.lsn} after ${highest.seq},${highest.lsn}`,
      )
    } else {
      this.#highest.set(partition, at)
    }
  }

  #noteRevision(partition: string, images: string): void {
    const after = images.slice(images.lastIndexOf('"after":'))
    const rev = /"rev":(-?\d+)/.exec(after)?.[1]
    if (rev === undefined) return
    const table = topicOf(partition).split('.').at(-1)!
    const ofTable = this.revisions.get(table) ?? new Map<string, number>()
    this.revisions.set(table, ofTable.set(rev, (ofTable.get(rev) ?? 0) + 1))
  }
}

function topicOf(partition: string): string {
  return partition.slice(0, partition.indexOf('/'))
}

function isBelow(a: Position, b: Position): boolean {
  return a.seq < b.seq || (a.seq === b.seq && a.lsn < b.lsn)
}

/** The members of an envelope as they were written; Debezium writes them in this order. */
function slicesOf(value: string): { readonly images: string; readonly source: string; readonly op: string } {
  const payload = value.indexOf('"payload":{')
  const from = value.indexOf('"source":{', payload)
  const to = value.indexOf('}', from) + 1
  if (payload < 0 || from < 0) throw new Error(`not an envelope with its schema: ${value.slice(0, 200)}`)
  const op = /"op":"(.)"/.exec(value.slice(to))?.[1] ?? ''
  return { images: value.slice(payload, from), source: value.slice(from, to), op }
}

function positionOf(source: string): Position {
  const lsn = BigInt(/"lsn":(\d+)/.exec(source)![1]!)
  const seq = /"sequence":"\[\\"(\d+)\\"/.exec(source)?.[1]
  return { seq: seq === undefined ? lsn : BigInt(seq), lsn }
}

function txIdOf(source: string): string {
  return /"txId":(\d+)/.exec(source)?.[1] ?? ''
}

function digest(text: string): string {
  return createHash('md5').update(text).digest('base64')
}
