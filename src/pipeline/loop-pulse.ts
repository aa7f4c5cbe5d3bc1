import type { Observe } from '../../core/fact.ts'
import type { Clock, RecordBatch } from '../../core/ports.ts'

export type LoopPhase = 'starting' | 'running' | 'ending' | 'ended'

/** Whether the loop still goes round, and how long it waits for records and takes for them. */
export class LoopPulse {
  phase: LoopPhase = 'starting'
  readonly #clock: Clock
  readonly #observe: Observe
  #turnedAtMs: number
  #askedAtMs: number
  #heldMs = 0

  constructor(clock: Clock, observe: Observe) {
    this.#clock = clock
    this.#observe = observe
    this.#turnedAtMs = clock.monotonicMs()
    this.#askedAtMs = clock.nowMs()
  }

  /** Milliseconds since the loop last went round. */
  get stillMs(): number {
    return this.#clock.monotonicMs() - this.#turnedAtMs
  }

  /** The source is about to be asked. */
  turn(): void {
    this.#turnedAtMs = this.#clock.monotonicMs()
    this.#askedAtMs = this.#clock.nowMs()
  }

  /** The source has answered with records. */
  async give(batch: RecordBatch, take: (batch: RecordBatch) => Promise<void>): Promise<void> {
    const cameAtMs = this.#clock.monotonicMs()
    await take(batch)
    const { topic, partition, records, sizeBytes } = batch
    this.#observe({
      ...{ kind: 'batch-read', topic, partition, records: records.length, sizeBytes },
      startedMs: this.#askedAtMs,
      waitedMs: cameAtMs - this.#turnedAtMs,
      takenMs: this.#clock.monotonicMs() - cameAtMs,
      heldMs: this.#heldMs,
    })
    this.#heldMs = 0
  }

  /** Nothing more can be taken for now. */
  async hold(room: Promise<void>): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    await room
    this.#heldMs += this.#clock.monotonicMs() - startedMs
  }
}
