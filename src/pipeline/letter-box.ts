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
  #writingBytes = 0
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

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Bytes of raw records that are not durable. */
  get heldBytes(): number {
    return this.#pendingBytes + this.#writingBytes
  }

  /** Milliseconds (monotonic clock) since the oldest that is not under way; `null`: there is none. */
  get ageMs(): number | null {
    return this.#pending.length === 0 ? null : this.#clock.monotonicMs() - this.#oldestAtMs
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
    const waitedMs = this.ageMs
    if (waitedMs === null) return false
    return this.#pending.length >= rows || this.#pendingBytes >= bytes || waitedMs >= ageMs
  }

  /** Must come before the commit of any table that has passed these records: a letter is never lost. */
  async flush(): Promise<void> {
    if (this.#pending.length > 0) {
      const letters = this.#pending
      this.#pending = []
      this.#writing = Promise.all([this.#writing, this.#send(letters, this.#pendingBytes)])
      this.#pendingBytes = 0
    }
    await this.#writing
  }

  async #send(letters: readonly Letter[], sizeBytes: number): Promise<void> {
    this.#writingBytes += sizeBytes
    await this.#write(letters)
    this.#writingBytes -= sizeBytes
  }
}
