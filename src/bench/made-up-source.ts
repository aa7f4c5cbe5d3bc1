import type { ChangeSource, Clock, PartitionRange, ReadOptions, RecordBatch } from '../../core/ports.ts'
import { type MadeUpOrders, ORDERS_TOPIC } from './made-up-orders.ts'

/** A topic that has more as long as it is asked, until its time is over. */
export class MadeUpSource implements ChangeSource {
  readonly #orders: MadeUpOrders
  readonly #clock: Clock
  readonly #timeMs: number

  constructor(orders: MadeUpOrders, clock: Clock, timeMs: number) {
    this.#orders = orders
    this.#clock = clock
    this.#timeMs = timeMs
  }

  async partitions(): Promise<readonly PartitionRange[]> {
    return [
      { topic: ORDERS_TOPIC, partition: 0, startOffset: 0n, endOffset: BigInt(Number.MAX_SAFE_INTEGER) },
    ]
  }

  async *read({ startAt }: ReadOptions): AsyncGenerator<RecordBatch | null> {
    for (const range of await this.partitions()) await startAt(range)
    const endMs = this.#clock.monotonicMs() + this.#timeMs
    while (this.#clock.monotonicMs() < endMs) {
      yield this.#orders.nextFetch()
      // Nothing here waits for the world: without this, flushes would have to.
      await this.#clock.sleep(0)
    }
  }

  async *readRange(): AsyncGenerator<RecordBatch> {}

  async stillHolds(): Promise<boolean> {
    return true
  }

  async ack(): Promise<void> {}

  async close(): Promise<void> {}
}
