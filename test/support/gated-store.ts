import type { ObjectInfo, ObjectStore, PutIfAbsentOutcome } from '../../core/ports.ts'
import type { StoreSite } from '../../core/store-sites.ts'
import { gathered } from './gathered.ts'

/** A store that holds changes back: those of paths that begin like a closed gate wait until it opens. */
export class GatedStore implements ObjectStore {
  readonly location: string
  /** Paths of the changes that wait or are being made. */
  readonly inFlight: string[] = []
  /** The most of them at one time. */
  inFlightMax = 0
  readonly #store: ObjectStore
  #closed: readonly string[] = []
  #waiting: (() => void)[] = []

  constructor(store: ObjectStore) {
    this.location = store.location
    this.#store = store
  }

  /** Closes the gates of these prefixes, and opens all others. */
  close(...prefixes: string[]): void {
    this.#closed = prefixes
    for (const retry of this.#waiting.splice(0)) retry()
  }

  get(site: StoreSite, path: string): Promise<Uint8Array | null> {
    return this.#store.get(site, path)
  }

  getRange(site: StoreSite, path: string, start: number, end: number): Promise<Uint8Array | null> {
    return this.#store.getRange(site, path, start, end)
  }

  head(site: StoreSite, path: string): Promise<ObjectInfo | null> {
    return this.#store.head(site, path)
  }

  list(...args: Parameters<ObjectStore['list']>): Promise<readonly ObjectInfo[]> {
    return this.#store.list(...args)
  }

  put(site: StoreSite, path: string, bytes: Uint8Array): Promise<void> {
    return this.#change(path, () => this.#store.put(site, path, bytes))
  }

  async putParts(site: StoreSite, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.put(site, path, await gathered(parts))
  }

  putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    return this.#change(path, () => this.#store.putIfAbsent(site, path, bytes))
  }

  delete(site: StoreSite, path: string): Promise<void> {
    return this.#change(path, () => this.#store.delete(site, path))
  }

  async #change<T>(path: string, work: () => Promise<T>): Promise<T> {
    this.inFlight.push(path)
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight.length)
    while (this.#closed.some((prefix) => path.startsWith(prefix))) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      this.inFlight.splice(this.inFlight.indexOf(path), 1)
    }
  }
}
