import type { PartitionRange, RecordBatch } from '../../core/ports.ts'

export type TopicPartition = Pick<PartitionRange, 'topic' | 'partition'>

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** A partition that came to us. It may go and come again before anybody looks: the number tells one time from another. */
export interface AskedPartition extends TopicPartition {
  readonly ask: number
}

/** What a member of a consumer group is told, in the order in which it happened. */
export type Arrival =
  | { readonly kind: 'batch'; readonly batch: RecordBatch }
  | { readonly kind: 'assigned'; readonly partitions: readonly AskedPartition[] }
  | { readonly kind: 'revoked'; readonly partitions: readonly TopicPartition[] }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** A topic seems to be gone: the library cannot go on before it is left out. */
  | { readonly kind: 'topic-missed' }

/**
 * Between a client that pushes and a reader that pulls. Whoever pushes asks `isFull` and holds back; what it has
 * fetched already is still taken in, so the greatest fetch comes on top of the bound.
 */
export class KafkaInbox {
  readonly #bytesMax: number
  readonly #arrivals: Arrival[] = []
  #bytes = 0
  #wake: (() => void) | null = null

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isEmpty(): boolean {
    return this.#arrivals.length === 0
  }

  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  /** Low enough to fetch again: the next fetch is under way while the rest is read. */
  get hasRoom(): boolean {
    return this.#bytes <= this.#bytesMax / 2
  }

  push(arrival: Arrival): void {
    this.#arrivals.push(arrival)
    if (arrival.kind === 'batch') this.#bytes += arrival.batch.sizeBytes
    this.#wake?.()
  }

  /** Batches of partitions that are no longer ours are not read. */
  dropBatches(isLost: (partition: TopicPartition) => boolean): void {
    const kept = this.#arrivals.filter((each) => each.kind !== 'batch' || !isLost(each.batch))
    this.#arrivals.splice(0, this.#arrivals.length, ...kept)
    this.#bytes = 0
    for (const each of kept) if (each.kind === 'batch') this.#bytes += each.batch.sizeBytes
  }

  /** @returns `null` when nothing has come within the time */
  async take(timeoutMs: number): Promise<Arrival | null> {
    if (this.isEmpty) await this.#arrival(timeoutMs)
    const arrival = this.#arrivals.shift() ?? null
    if (arrival?.kind === 'batch') this.#bytes -= arrival.batch.sizeBytes
    return arrival
  }

  #arrival(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
    })
  }
}
