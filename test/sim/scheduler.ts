import type { SeededRandom } from '../support/seeded-random.ts'

interface Wakeup {
  readonly atMs: number
  /** Drawn: among wake-ups of one instant the seed decides. */
  readonly tie: number
  readonly run: () => void
}

/**
 * The only time there is: a queue of wake-ups. One runs, everything that follows from it runs until it waits again, then
 * the next one runs; so a seed decides every interleaving, and an hour takes no time.
 */
export class Scheduler {
  /** Milliseconds since the world began. */
  nowMs = 0
  readonly #random: SeededRandom
  /** A heap: the first one is due next. */
  readonly #queue: Wakeup[] = []

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** Runs something `delayMs` from now. */
  in(delayMs: number, run: () => void): void {
    this.#push({ atMs: this.nowMs + delayMs, tie: this.#random.next(), run })
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.in(ms, resolve))
  }

  /**
   * Lets time pass until `isOver`, or the limit.
   *
   * @param afterEach looks at the world between two steps
   * @returns whether it was over in time
   */
  async runUntil(isOver: () => boolean, limitMs: number, afterEach: () => Promise<void>): Promise<boolean> {
    await settled()
    while (!isOver()) {
      const next = this.#queue[0]
      if (next === undefined || next.atMs > limitMs) return false
      this.#pop()
      this.nowMs = next.atMs
      next.run()
      await settled()
      await afterEach()
    }
    return true
  }

  #push(wakeup: Wakeup): void {
    const queue = this.#queue
    let at = queue.push(wakeup) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(wakeup, queue[parent]!)) break
      queue[at] = queue[parent]!
      at = parent
    }
    queue[at] = wakeup
  }

  #pop(): void {
    const queue = this.#queue
    const last = queue.pop()!
    if (queue.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child++
      if (!isBefore(queue[child]!, last)) break
      queue[at] = queue[child]!
      at = child
    }
    queue[at] = last
  }
}

function isBefore(a: Wakeup, b: Wakeup): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.tie < b.tie
}

/** All that could go on without time passing has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
