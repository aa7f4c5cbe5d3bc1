import type { TopicWork } from './topic-work.ts'

/**
 * - `with-room`: in its turn, and when there is room for more records
 * - `in-turn`: when all that was asked for before has ended, and before anything that is asked for later
 * - `after`: when all that was asked for before has ended
 * - `at-once`: whatever else goes on
 */
type Turn = 'with-room' | 'in-turn' | 'after' | 'at-once'

const TURNS: Readonly<Record<keyof TopicWork, Turn>> = {
  take: 'with-room',
  takeRange: 'with-room',
  isWithin: 'in-turn',
  start: 'in-turn',
  tick: 'in-turn',
  giveUp: 'in-turn',
  hold: 'in-turn',
  followFormerOwners: 'in-turn',
  resume: 'in-turn',
  watch: 'in-turn',
  give: 'in-turn',
  nextRange: 'in-turn',
  endRange: 'in-turn',
  knowMark: 'in-turn',
  flushAll: 'after',
  cutShort: 'after',
  report: 'after',
  room: 'at-once',
  floors: 'at-once',
  begun: 'at-once',
  passed: 'at-once',
  abandon: 'at-once',
  sample: 'at-once',
}

/**
 * Makes calls of somebody who does not wait for their answers come in the order in which the loop makes them: it waits
 * for each before the next, but for the mark and for the end of a run.
 *
 * When one in the row fails, so do all that stand behind it.
 */
export class WorkTurns {
  readonly #work: Pick<TopicWork, 'room'>
  #last: Promise<unknown> = Promise.resolve()
  /** Calls that wait for their turn and must not wait for room. */
  #urgent = 0
  #hurry: () => void = () => {}
  #isOver = false

  constructor(work: Pick<TopicWork, 'room'>) {
    this.#work = work
  }

  call<T>(method: keyof TopicWork, begin: () => Promise<T>): Promise<T> {
    const turn = TURNS[method]
    if (method === 'abandon') this.#isOver = true
    if (turn === 'at-once') return begin()
    if (turn === 'with-room') return this.#chain(() => this.#withRoom(begin))
    if (method === 'tick') return this.#chain(begin)
    this.#urgent++
    this.#hurry()
    const urgent = () => {
      this.#urgent--
      return begin()
    }
    return turn === 'in-turn' ? this.#chain(urgent) : this.#next(urgent)
  }

  #chain<T>(begin: () => Promise<T>): Promise<T> {
    const ended = this.#next(begin)
    this.#last = ended
    // Whoever called is told.
    ended.catch(() => {})
    return ended
  }

  /** What was abandoned begins nothing more, and has nobody to tell. */
  #next<T>(begin: () => Promise<T>): Promise<T> {
    return this.#last.then(() => (this.#isOver ? new Promise<never>(() => {}) : begin()))
  }

  /** A full house holds records back, nothing else: what is asked for behind them must come to its turn. */
  async #withRoom<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#urgent === 0) {
      const hurried = new Promise<void>((resolve) => {
        this.#hurry = resolve
      })
      await Promise.race([this.#work.room(), hurried])
    }
    return begin()
  }
}
