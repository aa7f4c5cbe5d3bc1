import type { ObjectInfo, ObjectStore, PutIfAbsentOutcome } from '../../core/ports.ts'
import type { StoreSite } from '../../core/store-sites.ts'
import { gathered } from './gathered.ts'

/** How a process ends at a change that it asks its store for: before it is made or after, with an error or in silence. */
export type Death = 'fails before' | 'fails after' | 'hangs before' | 'hangs after'

/** A store as a process sees it that dies at its n-th change; nothing that it asks for later is done. */
export class DyingStore implements ObjectStore {
  readonly location: string
  /** Fulfilled at the death. */
  readonly died: Promise<void>
  isDead = false
  changes = 0
  readonly #store: ObjectStore
  readonly #at: number
  readonly #death: Death
  #die!: () => void

  constructor(store: ObjectStore, at: number, death: Death) {
    this.location = store.location
    this.#store = store
    this.#at = at
    this.#death = death
    this.died = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  get(site: StoreSite, path: string): Promise<Uint8Array | null> {
    return this.#alive(() => this.#store.get(site, path))
  }

  getRange(site: StoreSite, path: string, start: number, end: number): Promise<Uint8Array | null> {
    return this.#alive(() => this.#store.getRange(site, path, start, end))
  }

  head(site: StoreSite, path: string): Promise<ObjectInfo | null> {
    return this.#alive(() => this.#store.head(site, path))
  }

  list(...args: Parameters<ObjectStore['list']>): Promise<readonly ObjectInfo[]> {
    return this.#alive(() => this.#store.list(...args))
  }

  put(site: StoreSite, path: string, bytes: Uint8Array): Promise<void> {
    return this.#change(() => this.#store.put(site, path, bytes))
  }

  async putParts(site: StoreSite, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.put(site, path, await gathered(parts))
  }

  putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    return this.#change(() => this.#store.putIfAbsent(site, path, bytes))
  }

  delete(site: StoreSite, path: string): Promise<void> {
    return this.#change(() => this.#store.delete(site, path))
  }

  async #change<T>(work: () => Promise<T>): Promise<T> {
    if (this.isDead || ++this.changes !== this.#at) return this.#alive(work)
    this.isDead = true
    if (this.#death.endsWith('after')) await work()
    this.#die()
    return this.#alive(work)
  }

  #alive<T>(work: () => Promise<T>): Promise<T> {
    if (!this.isDead) return work()
    return this.#death.startsWith('fails') ? Promise.reject(new Error('power cut')) : new Promise(() => {})
  }
}
