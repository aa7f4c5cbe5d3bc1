import type { Clock, ObjectStore } from '../core/ports.ts'
import type { StoreSite } from '../core/store-sites.ts'
import { joinTablePath } from './delta/log-path.ts'

/** Bytes of so many objects are held at most. */
const PUTS_AT_ONCE = 4

/** Objects of a table on their way into the store together: none needs another before a commit names them. */
export class ObjectPuts {
  readonly #store: ObjectStore
  readonly #tablePath: string
  readonly #clock: Clock
  /** What became of each: `null`, or what was thrown. */
  readonly #outcomes: Promise<{ readonly error: unknown } | null>[] = []
  #waitedMs = 0

  constructor(store: ObjectStore, tablePath: string, clock: Clock) {
    this.#store = store
    this.#tablePath = tablePath
    this.#clock = clock
  }

  /**
   * Runs work that puts objects.
   *
   * @returns when all of them are in the store: what the work gave, and for how long nothing was left but to wait
   * @throws what the work throws, or the first put that fails; nothing is on its way any more
   */
  async during<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly waitedMs: number }> {
    this.#waitedMs = 0
    let result: T
    try {
      result = await work()
    } finally {
      await this.#settle()
    }
    return { result, waitedMs: this.#waitedMs }
  }

  /** Begins to put an object. @throws what an earlier one has thrown */
  async begin(site: StoreSite, path: string, bytes: Uint8Array): Promise<void> {
    if (this.#outcomes.length === PUTS_AT_ONCE) await this.#settle()
    const put = this.#store.put(site, joinTablePath(this.#tablePath, path), bytes)
    this.#outcomes.push(
      put.then(
        () => null,
        (error: unknown) => ({ error }),
      ),
    )
  }

  async #settle(): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    const outcomes = await Promise.all(this.#outcomes.splice(0))
    this.#waitedMs += this.#clock.monotonicMs() - startedMs
    const failed = outcomes.find((outcome) => outcome !== null)
    if (failed) throw failed.error
  }
}
