/** Records of a table that are looked back on. */
const WINDOW = 1000
/** Fewer letters are no storm, whatever their share. */
const LETTERS_MIN = 100

/**
 * Tells when so many of a table's records are dead letters that it is the topic, or our idea of it, that is wrong
 * (design §3.7). Counts records, never batches: where the stream is cut changes nothing.
 */
export class StormGuard {
  readonly #maxShare: number
  readonly #isLetter = new Uint8Array(WINDOW)
  #seen = 0
  #letters = 0

  /** @param maxShare of the last 1,000 records; 1 turns the guard off */
  constructor(maxShare: number) {
    this.#maxShare = maxShare
  }

  /** Notes one record. @returns whether there is a storm now */
  note(isLetter: boolean): boolean {
    const at = this.#seen++ % WINDOW
    this.#letters += (isLetter ? 1 : 0) - this.#isLetter[at]!
    this.#isLetter[at] = isLetter ? 1 : 0
    if (!isLetter || this.#maxShare >= 1 || this.#letters < LETTERS_MIN) return false
    return this.#letters > this.#maxShare * Math.min(this.#seen, WINDOW)
  }
}
