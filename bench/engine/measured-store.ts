import type { ObjectInfo, ObjectStore, PutIfAbsentOutcome } from '../../core/ports.ts'
import type { StoreSite } from '../../core/store-sites.ts'
import { progressPrefix } from '../../writers/table-progress.ts'
import { ORDERS_PATH, ORDERS_TOPIC, PIPELINE } from './orders-table.ts'

/** Bytes put below the table, by what they are. */
export interface BytesWritten {
  data: number
  vectors: number
  feed: number
  log: number
}

type Part = keyof BytesWritten

const PART_OF: Partial<Record<StoreSite, Part>> = {
  'data.put': 'data',
  'dv.put': 'vectors',
  'cdc.put': 'feed',
  'log.put': 'log',
  'checkpoint.put': 'log',
  'log.last-checkpoint.put': 'log',
}

const PROGRESS = `"appId":"${progressPrefix(PIPELINE)}${ORDERS_TOPIC}/0","version":`

/** A store that counts what is put into the table, and tells when a commit has moved its progress. */
export class MeasuredStore implements ObjectStore {
  readonly #store: ObjectStore
  readonly written: BytesWritten = { data: 0, vectors: 0, feed: 0, log: 0 }
  files = 0
  #committed = 0n
  #waiting: { readonly nextOffset: bigint; readonly resolve: () => void } | null = null

  constructor(store: ObjectStore) {
    this.#store = store
  }

  get location(): string {
    return this.#store.location
  }

  /** @returns when the table says that it holds every record before this one */
  committed(nextOffset: bigint): Promise<void> {
    if (this.#committed >= nextOffset) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting = { nextOffset, resolve }
    })
  }

  async put(site: StoreSite, path: string, bytes: Uint8Array): Promise<void> {
    await this.#store.put(site, path, bytes)
    this.#count(site, path, bytes)
  }

  async putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    const outcome = await this.#store.putIfAbsent(site, path, bytes)
    if (outcome === 'created') {
      this.#count(site, path, bytes)
      if (site === 'log.put' && path.startsWith(ORDERS_PATH))
        this.#note(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    }
    return outcome
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

  list(site: StoreSite, prefix: string, startAfter?: string, limit?: number): Promise<readonly ObjectInfo[]> {
    return this.#store.list(site, prefix, startAfter, limit)
  }

  delete(site: StoreSite, path: string): Promise<void> {
    return this.#store.delete(site, path)
  }

  #count(site: StoreSite, path: string, bytes: Uint8Array): void {
    const part = PART_OF[site]
    if (part === undefined || !path.startsWith(ORDERS_PATH)) return
    this.written[part] += bytes.length
    this.files++
  }

  /** A merge commits no progress. */
  #note(entry: Buffer): void {
    const at = entry.indexOf(PROGRESS)
    if (at < 0) return
    const digits = /^\d+/.exec(entry.toString('latin1', at + PROGRESS.length, at + PROGRESS.length + 20))
    this.#committed = BigInt(digits![0])
    if (this.#waiting === null || this.#committed < this.#waiting.nextOffset) return
    this.#waiting.resolve()
    this.#waiting = null
  }
}
