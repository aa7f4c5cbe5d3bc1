/** Gives out turns in the order in which they were asked for: work in a turn is never interleaved with other turns. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** @returns what the work returns; its error is the caller's alone */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}
