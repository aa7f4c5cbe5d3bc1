import type { Clock, Random } from '../core/ports.ts'
import type { ChangeEvent, RowKey } from '../schemas/change-event.ts'
import type { Visibility } from '../schemas/visibility.ts'
import { keyTextOf } from './key-texts.ts'

/** A watch ends by itself: who asked for it may have died. */
const WATCH_MS = 10 * 60_000
/** Keys and transactions that one watch remembers; beyond, it is over. */
const TOUCHES_MAX = 200_000
/** Watches at a time; the oldest ends when one more is asked for. */
const WATCHES_MAX = 4

interface Watch {
  readonly endMs: number
  /** Key text → transactions that touched the key; `null`: one that is not known. */
  readonly touched: Map<string, Set<bigint | null>>
  touches: number
}

/** What the stream did to keys while somebody watched, as far as it hangs on the moment that a row was read at. */
export interface Watched {
  /** Whether something touched a key that the moment does not see, or may not. */
  isNewer(key: RowKey, visibility: Visibility): boolean
}

/**
 * Which keys the stream touches, for those who bring rows by another way. A table alone does not tell it: a row that it
 * never had and that is deleted, or that comes and goes within a batch, leaves no trace in any version.
 */
export class StreamWatches {
  readonly #clock: Clock
  readonly #random: Random
  readonly #watches = new Map<string, Watch>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** @returns its name */
  begin(): string {
    this.#endOld()
    const [oldest] = this.#watches.keys()
    if (this.#watches.size >= WATCHES_MAX) this.#watches.delete(oldest!)
    const name = this.#random.uuid()
    this.#watches.set(name, {
      endMs: this.#clock.monotonicMs() + WATCH_MS,
      touched: new Map(),
      touches: 0,
    })
    return name
  }

  /** Events that are about to be committed, in this batch or folded away in it. A truncate touches every key. */
  note(events: readonly ChangeEvent[]): void {
    if (this.#watches.size === 0) return
    this.#endOld()
    for (const { op, key, txId } of events) {
      if (op === 't') this.#watches.clear()
      if (this.#watches.size === 0) return
      if (key !== null) this.#noteKey(keyTextOf(key), txId)
    }
  }

  /** @returns `null`: it is over, and what happened meanwhile is not known */
  find(name: string): Watched | null {
    this.#endOld()
    const watch = this.#watches.get(name)
    if (watch === undefined) return null
    const isUnseen = (txId: bigint | null, { sees }: Visibility) => txId === null || !sees(txId)
    return {
      isNewer: (key, visibility) =>
        [...(watch.touched.get(keyTextOf(key)) ?? [])].some((txId) => isUnseen(txId, visibility)),
    }
  }

  #noteKey(text: string, txId: bigint | null): void {
    for (const [name, watch] of this.#watches) {
      const transactions = watch.touched.get(text)
      if (transactions === undefined) watch.touched.set(text, new Set([txId]))
      else transactions.add(txId)
      if (++watch.touches > TOUCHES_MAX) this.#watches.delete(name)
    }
  }

  #endOld(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [name, { endMs }] of this.#watches) if (endMs <= nowMs) this.#watches.delete(name)
  }
}
