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
import { nameOf, type SimBroker } from './sim-broker.ts'
import type { SimProcess } from './sim-process.ts'
import type { World } from './world.ts'

/** As the source on a real broker waits for whoever had the partitions before. */
const FORMER_OWNER_MS = 2000
const POLL_MS = 250
/** As long, at most, a member that was counted out goes on as if nothing had happened. */
const HEARTBEAT_MS = 2000

interface Held {
  readonly generation: number
  /** `null`: not to be read. */
  next: bigint | null
}

/** A member of the group. It learns what it has lost, and got, when it asks for the next batch. */
export class SimChangeSource implements ChangeSource {
  readonly name: string
  readonly #process: SimProcess
  readonly #broker: SimBroker
  readonly #world: World
  readonly #held = new Map<string, Held>()
  /** When a member that was counted out hears of it. */
  #hearsAtMs: number | null = null

  constructor(process: SimProcess, broker: SimBroker, world: World) {
    this.name = process.name
    this.#process = process
    this.#broker = broker
    this.#world = world
  }

  async partitions(): Promise<readonly PartitionRange[]> {
    await this.#call('source.partitions')
    return [...this.#broker.partitions.keys()].map((name) => this.#broker.rangeOf(name))
  }

  async *read(options: ReadOptions): AsyncGenerator<RecordBatch | null> {
    for (;;) {
      await this.#call('source.read')
      if (this.#hasHeard()) {
        // At first, and when the group has given it up for dead.
        this.#broker.join(this)
        await this.#giveUpCut(options)
        await this.#followAssignment(options)
      }
      const batch = this.#nextBatch()
      if (batch === null) await this.#sleep(POLL_MS)
      yield batch
    }
  }

  async *readRange({ topic, partition, fromOffset, toOffset }: OffsetRange): AsyncGenerator<RecordBatch> {
    const name = `${topic}/${partition}`
    for (let from = fromOffset; from < toOffset; ) {
      await this.#call('source.read-range')
      const { records, startOffset } = this.#broker.partitions.get(name)!
      if (from < startOffset)
        throw new EngineError('E_OFFSET_GAP', 'stop-table', `${name} begins at ${startOffset}`)
      const unread = records.filter(({ offset }) => offset >= from && offset < toOffset)
      const batch = unread.slice(0, 1 + this.#world.random.below(12))
      from = batch.length < unread.length ? batch.at(-1)!.offset + 1n : toOffset
      yield { topic, partition, records: batch, nextOffset: from, sizeBytes: sizeOf(batch) }
    }
  }

  async stillHolds(): Promise<boolean> {
    await this.#call('source.still-holds')
    return (
      this.#broker.counts(this) &&
      [...this.#held].every(([name, held]) => this.#isOurs(name, held.generation))
    )
  }

  async ack(positions: readonly PartitionPosition[]): Promise<void> {
    await this.#call('source.ack')
    // A member that was replaced is not listened to; and what is told can get lost.
    const ours = positions.filter((each) => this.#broker.assignmentOf(nameOf(each)).member === this)
    if (this.#world.isCalm || this.#world.random.chance(0.8)) this.#broker.ack(ours)
  }

  async close(): Promise<void> {
    this.#broker.leave(this)
  }

  /** A member that slept for too long reads on in what it held, until it is told. */
  #hasHeard(): boolean {
    const { scheduler, random } = this.#world
    if (this.#held.size === 0 || this.#broker.counts(this)) {
      this.#hearsAtMs = null
      return true
    }
    this.#hearsAtMs ??= scheduler.nowMs + HEARTBEAT_MS * random.next()
    return scheduler.nowMs >= this.#hearsAtMs
  }

  /** Retention went past where we are: the partition goes and comes again, and with it those that feed its tables. */
  async #giveUpCut({ onRevoked }: ReadOptions): Promise<void> {
    const ranges = [...this.#held.keys()].map((name) => this.#broker.rangeOf(name))
    const isCut = (range: PartitionRange) =>
      (this.#held.get(nameOf(range))!.next ?? range.startOffset) < range.startOffset
    if (!ranges.some(isCut)) return
    this.#held.clear()
    await onRevoked(ranges)
  }

  async #followAssignment({ startAt, onRevoked }: ReadOptions): Promise<void> {
    const revoked = [...this.#held].filter(([name, { generation }]) => !this.#isOurs(name, generation))
    for (const [name] of revoked) this.#held.delete(name)
    if (revoked.length > 0) await onRevoked(revoked.map(([name]) => this.#broker.rangeOf(name)))
    const assigned = [...this.#broker.partitions.keys()].filter(
      (name) => this.#broker.assignmentOf(name).member === this && !this.#held.has(name),
    )
    if (assigned.length === 0) return
    if (this.#broker.memberCount > 1) await this.#sleep(FORMER_OWNER_MS)
    // Partitions come together, and what changes while they come changes for all of them.
    const generations = new Map(assigned.map((name) => [name, this.#broker.assignmentOf(name).generation]))
    for (const [name, generation] of generations) {
      if (this.#broker.assignmentOf(name).member !== this) continue
      this.#held.set(name, { generation, next: null })
      const range = this.#broker.rangeOf(name)
      const next = await startAt(range)
      const from = next !== null && next < range.startOffset ? range.startOffset : next
      this.#held.set(name, { generation, next: from })
      this.#world.trace.note(this.name, `reads ${name} from ${from ?? 'nowhere'}`)
    }
  }

  #isOurs(name: string, generation: number): boolean {
    const current = this.#broker.assignmentOf(name)
    return current.member === this && current.generation === generation
  }

  /** Of one of its partitions, as many records as the seed says. */
  #nextBatch(): RecordBatch | null {
    const { random } = this.#world
    const ready = [...this.#held].filter(
      ([name, { next }]) => next !== null && next < this.#broker.rangeOf(name).endOffset,
    )
    if (ready.length === 0) return null
    const [name, held] = ready[random.below(ready.length)]!
    const { topic, partition, records, endOffset } = this.#broker.partitions.get(name)!
    const unread = records.filter(({ offset }) => offset >= held.next!)
    const batch = unread.slice(0, 1 + random.below(12))
    held.next = batch.length < unread.length ? batch.at(-1)!.offset + 1n : endOffset
    return { topic, partition, records: batch, nextOffset: held.next, sizeBytes: sizeOf(batch) }
  }

  /** The client of a broker waits out bad days by itself: a call is late, or the last thing that the process did. */
  #call(site: string): Promise<void> {
    const fault = this.#world.drawFault(site)
    if (fault !== null) this.#world.trace.note(this.name, `${site} ! ${fault}`)
    if (fault === 'kill') this.#process.kill()
    const slowMs = fault === 'slow' || fault === 'hang' ? 10_000 : 1
    return this.#sleep(1 + slowMs * this.#world.random.next())
  }

  #sleep(ms: number): Promise<void> {
    const { scheduler } = this.#world
    return new Promise((resolve) => scheduler.in(ms, () => this.#process.deliver(() => resolve())))
  }
}

function sizeOf(records: readonly RawRecord[]): number {
  return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0)
}
