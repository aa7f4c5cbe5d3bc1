import { EngineError } from '../../core/errors.ts'
import type { Observe, StoreOp } from '../../core/fact.ts'
import type { Clock, ObjectInfo, ObjectStore, PutIfAbsentOutcome } from '../../core/ports.ts'
import type { StoreSite } from '../../core/store-sites.ts'

/** A store whose calls are told, each with how it ended and how long it took. */
export class ObservedStore implements ObjectStore {
  readonly location: string
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #observe: Observe

  constructor(store: ObjectStore, clock: Clock, observe: Observe) {
    this.location = store.location
    this.#store = store
    this.#clock = clock
    this.#observe = observe
  }

  get(site: StoreSite, path: string): Promise<Uint8Array | null> {
    return this.#watch(site, 'get', this.#store.get(site, path), presence)
  }

  getRange(site: StoreSite, path: string, start: number, end: number): Promise<Uint8Array | null> {
    return this.#watch(site, 'get_range', this.#store.getRange(site, path, start, end), presence)
  }

  head(site: StoreSite, path: string): Promise<ObjectInfo | null> {
    return this.#watch(site, 'head', this.#store.head(site, path), presence)
  }

  put(site: StoreSite, path: string, bytes: Uint8Array): Promise<void> {
    return this.#watch(site, 'put', this.#store.put(site, path, bytes), done)
  }

  putParts(site: StoreSite, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#watch(site, 'put_parts', this.#store.putParts(site, path, parts), done)
  }

  putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    const put = this.#store.putIfAbsent(site, path, bytes)
    return this.#watch(site, 'put_if_absent', put, (outcome) => (outcome === 'exists' ? 'exists' : 'ok'))
  }

  list(site: StoreSite, prefix: string, startAfter?: string, limit?: number): Promise<readonly ObjectInfo[]> {
    return this.#watch(site, 'list', this.#store.list(site, prefix, startAfter, limit), done)
  }

  delete(site: StoreSite, path: string): Promise<void> {
    return this.#watch(site, 'delete', this.#store.delete(site, path), done)
  }

  async #watch<T>(site: StoreSite, op: StoreOp, call: Promise<T>, codeOf: (answer: T) => string): Promise<T> {
    const startedMs = this.#clock.monotonicMs()
    this.#observe({ kind: 'store-asked' })
    const tell = (code: string) =>
      this.#observe({
        ...{ kind: 'store-request', site, op, code },
        durationMs: this.#clock.monotonicMs() - startedMs,
      })
    try {
      const answer = await call
      tell(codeOf(answer))
      return answer
    } catch (error) {
      tell(error instanceof EngineError ? error.code : 'E_BUG')
      throw error
    }
  }
}

function presence(answer: unknown): string {
  return answer === null ? 'absent' : 'ok'
}

function done(): string {
  return 'ok'
}
