import type { Clock, RawRecord } from '../../core/ports.ts'
import type { Undecodable } from '../../schemas/change-event.ts'
import type { BatchBounds } from '../config/config.ts'

/** A record that is set aside, and why. */
export interface Letter {
  readonly record: RawRecord
  readonly why: Undecodable
}

/**
 * Makes letters durable: they are when it resolves. One table of letters has one writer, which may be in another thread.
 *
 * @throws EngineError that stops the process: no table may go on without its letters
 */
export type WriteLetters = (letters: readonly Letter[]) => Promise<void>

/** Letters on their way to where they are kept. */
export class LetterBox {
  readonly #write: WriteLetters
  readonly #clock: Clock
  readonly #reasons = new Map<string, number>()
  #pending: Letter[] = []
  #pendingBytes = 0
  #oldestAtMs = 0
  #writing: Promise<unknown> = Promise.resolve()

  constructor(write: WriteLetters, clock: Clock) {
    this.#write = write
    this.#clock = clock
  }

  /** Letters by reason, of this run. */
  get reasons(): ReadonlyMap<string, number> {
    return this.#reasons
  }

  add(letter: Letter): void {
    const { record, why } = letter
    this.#reasons.set(why.reason, (this.#reasons.get(why.reason) ?? 0) + 1)
    if (this.#pending.length === 0) this.#oldestAtMs = this.#clock.monotonicMs()
    this.#pending.push(letter)
    this.#pendingBytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
  }

  /** Whether they fill a batch, or have waited as long as one may. */
  isDue({ rows, bytes, ageMs }: BatchBounds): boolean {
    const count = this.#pending.length
    if (count === 0) return false
    return (
      count >= rows || this.#pendingBytes >= bytes || this.#clock.monotonicMs() - this.#oldestAtMs >= ageMs
    )
  }

  /** Must come before the commit of any table that has passed these records: a letter is never lost. */
  async flush(): Promise<void> {
    if (this.#pending.length > 0) {
      const letters = this.#pending
      this.#pending = []
      this.#pendingBytes = 0
      this.#writing = Promise.all([this.#writing, this.#write(letters)])
    }
    await this.#writing
  }
}
