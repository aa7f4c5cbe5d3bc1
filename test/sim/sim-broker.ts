import type { PartitionPosition, PartitionRange, RawRecord } from '../../core/ports.ts'
import type { SeededRandom } from '../support/seeded-random.ts'
import type { SimChangeSource } from './sim-source.ts'
import type { Trace } from './trace.ts'

const TIME_MS = 1_772_368_215_500

export interface SimPartition {
  readonly topic: string
  readonly partition: number
  /** Ascending; offsets may be missing. */
  records: RawRecord[]
  startOffset: bigint
  endOffset: bigint
}

/** Whose a partition is. The number grows with every hand-over, also back to the same member. */
export interface Assignment {
  readonly member: SimChangeSource | null
  readonly generation: number
}

export function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}

/** Topics and one consumer group. Knows nothing of what records mean. */
export class SimBroker {
  readonly partitions = new Map<string, SimPartition>()
  /** What members told of their progress: it may be lost, and nothing depends on it but retention. */
  readonly acked = new Map<string, bigint>()
  readonly #members: SimChangeSource[] = []
  readonly #assignments = new Map<string, Assignment>()
  /** Topics that stay together, because they feed one table. */
  readonly #units: readonly (readonly string[])[]
  readonly #random: SeededRandom
  readonly #trace: Trace
  #generation = 0

  constructor(units: readonly (readonly string[])[], random: SeededRandom, trace: Trace) {
    this.#units = units
    this.#random = random
    this.#trace = trace
  }

  addTopic(topic: string, partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) {
      const empty = { topic, partition, records: [], startOffset: 0n, endOffset: 0n }
      this.partitions.set(nameOf(empty), empty)
    }
  }

  append(
    topic: string,
    partition: number,
    { key, value, headers }: Pick<RawRecord, 'key' | 'value' | 'headers'>,
  ): RawRecord {
    const log = this.partitions.get(`${topic}/${partition}`)!
    const offset = log.endOffset++
    const record = { topic, partition, offset, timestampMs: TIME_MS + Number(offset), key, value, headers }
    log.records.push(record)
    return record
  }

  /** Offsets without records: markers of the broker's own, aborted batches, what compaction left. */
  skip(topic: string, partition: number, count: number): void {
    this.partitions.get(`${topic}/${partition}`)!.endOffset += BigInt(count)
  }

  rangeOf(name: string): PartitionRange {
    const { topic, partition, startOffset, endOffset } = this.partitions.get(name)!
    return { topic, partition, startOffset, endOffset }
  }

  join(member: SimChangeSource): void {
    if (this.#members.includes(member)) return
    this.#members.push(member)
    this.rebalance()
  }

  leave(member: SimChangeSource): void {
    const at = this.#members.indexOf(member)
    if (at < 0) return
    this.#members.splice(at, 1)
    this.rebalance()
  }

  /** Whether the group counts this member in; one that it has counted out is not told. */
  counts(member: SimChangeSource): boolean {
    return this.#members.includes(member)
  }

  /** How often partitions were handed out. */
  get generation(): number {
    return this.#generation
  }

  get memberCount(): number {
    return this.#members.length
  }

  assignmentOf(name: string): Assignment {
    return this.#assignments.get(name) ?? { member: null, generation: 0 }
  }

  /** Some partitions change hands: whatever had to move, and a few more. */
  rebalance(): void {
    this.#generation++
    for (const topics of this.#units) {
      const names = [...this.partitions.keys()].filter((name) => topics.includes(name.replace(/\/\d+$/, '')))
      const held = this.assignmentOf(names[0]!).member
      const stays = held !== null && this.#members.includes(held) && this.#random.chance(0.5)
      if (stays) continue
      const member = this.#members[this.#random.below(this.#members.length)] ?? null
      for (const name of names) this.#assignments.set(name, { member, generation: this.#generation })
      this.#trace.note('broker', `${topics.join(' ')} -> ${member?.name ?? 'nobody'}`)
    }
  }

  ack(positions: readonly PartitionPosition[]): void {
    for (const each of positions) this.acked.set(nameOf(each), each.nextOffset)
  }

  /** Retention: what the group says that it has passed may go. */
  trim(): void {
    for (const [name, log] of this.partitions) {
      const acked = this.acked.get(name) ?? 0n
      const upTo = log.startOffset + BigInt(this.#random.below(Number(acked - log.startOffset) + 1))
      if (upTo <= log.startOffset) continue
      log.startOffset = upTo
      log.records = log.records.filter(({ offset }) => offset >= upTo)
      this.#trace.note('broker', `${name} begins at ${upTo}`)
    }
  }
}
