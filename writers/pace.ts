import type { Clock } from '../core/ports.ts'

/** What else runs in the process waits no longer for us than this. */
const SLICE_MS = 15

/** Lets long work step aside again and again, and end when it is told to. */
export class Pace {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #sinceMs: number

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
    this.#sinceMs = clock.monotonicMs()
  }

  /**
   * To be called between two short steps.
   *
   * @throws the signal's reason when the work is to end
   */
  async step(): Promise<void> {
    this.#signal.throwIfAborted()
    if (this.#clock.monotonicMs() - this.#sinceMs < SLICE_MS) return
    await this.#clock.sleep(0)
    this.#signal.throwIfAborted()
    this.#sinceMs = this.#clock.monotonicMs()
  }
}
