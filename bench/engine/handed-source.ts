import type { ChangeSource, PartitionRange, ReadOptions, RecordBatch } from '../../core/ports.ts'
import { ORDERS_TOPIC } from './orders-table.ts'

/** A source whose records are handed in by whoever measures; the engine pulls them like any others. */
export class HandedSource implements ChangeSource {
  #fetches: RecordBatch[] = []
  #isEnded = false
  #wake: () => void = () => {}
  #onEmpty: () => void = () => {}

  /** @returns when the engine has taken all of them and asks for more */
  hand(fetches: readonly RecordBatch[]): Promise<void> {
    this.#fetches = [...fetches]
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      this.#wake()
    })
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  async partitions(): Promise<readonly PartitionRange[]> {
    return [{ topic: ORDERS_TOPIC, partition: 0, startOffset: 0n, endOffset: 1n << 40n }]
  }

  async *read({ startAt }: ReadOptions): AsyncGenerator<RecordBatch | null> {
    for (const range of await this.partitions()) await startAt(range)
    while (!this.#isEnded) {
      for (const fetch of this.#fetches) yield fetch
      this.#fetches = []
      this.#onEmpty()
      if (this.#isEnded) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async *readRange(): AsyncGenerator<RecordBatch> {}

  async stillHolds(): Promise<boolean> {
    return true
  }

  async ack(): Promise<void> {}

  async close(): Promise<void> {}
}
