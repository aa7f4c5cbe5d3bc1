import type {
  ChangeSource,
  ObjectInfo,
  ObjectStore,
  OffsetRange,
  PartitionPosition,
  PartitionRange,
  PutIfAbsentOutcome,
  ReadOptions,
  RecordBatch,
} from '../../../core/ports.ts'
import type { StoreSite } from '../../../core/store-sites.ts'
import { gathered } from '../../support/gathered.ts'
import type { Cross, SourceSite } from './faults.ts'

/** A store on the other side of a border. */
export class BorderedStore implements ObjectStore {
  readonly location: string
  readonly #store: ObjectStore
  readonly #cross: Cross

  constructor(store: ObjectStore, cross: Cross) {
    this.location = store.location
    this.#store = store
    this.#cross = cross
  }

  get(site: StoreSite, path: string): Promise<Uint8Array | null> {
    return this.#read(site, path, () => this.#store.get(site, path))
  }

  getRange(site: StoreSite, path: string, start: number, end: number): Promise<Uint8Array | null> {
    return this.#read(site, path, () => this.#store.getRange(site, path, start, end))
  }

  head(site: StoreSite, path: string): Promise<ObjectInfo | null> {
    return this.#read(site, path, () => this.#store.head(site, path))
  }

  list(...args: Parameters<ObjectStore['list']>): Promise<readonly ObjectInfo[]> {
    return this.#read(args[0], args[1], () => this.#store.list(...args))
  }

  put(site: StoreSite, path: string, bytes: Uint8Array): Promise<void> {
    const tear = () => this.#store.put(site, path, bytes.subarray(0, bytes.length >> 1))
    return this.#cross({ site, kind: 'put', target: path }, () => this.#store.put(site, path, bytes), tear)
  }

  async putParts(site: StoreSite, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.put(site, path, await gathered(parts))
  }

  putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    const put = () => this.#store.putIfAbsent(site, path, bytes)
    return this.#cross({ site, kind: 'change', target: path }, put, nothing)
  }

  delete(site: StoreSite, path: string): Promise<void> {
    return this.#cross({ site, kind: 'change', target: path }, () => this.#store.delete(site, path), nothing)
  }

  #read<T>(site: StoreSite, path: string, work: () => Promise<T>): Promise<T> {
    return this.#cross({ site, kind: 'read', target: path }, work, nothing)
  }
}

/** A source on the other side of a border. */
export class BorderedSource implements ChangeSource {
  readonly #source: ChangeSource
  readonly #cross: Cross

  constructor(source: ChangeSource, cross: Cross) {
    this.#source = source
    this.#cross = cross
  }

  partitions(): Promise<readonly PartitionRange[]> {
    const call = { site: 'source.partitions', kind: 'read', target: 'topics' } as const
    return this.#cross(call, () => this.#source.partitions(), nothing)
  }

  read(options: ReadOptions): AsyncGenerator<RecordBatch | null> {
    return this.#pull('source.read', this.#source.read(options))
  }

  readRange(range: OffsetRange): AsyncGenerator<RecordBatch> {
    return this.#pull('source.readRange', this.#source.readRange(range))
  }

  async *#pull<T>(site: SourceSite, source: AsyncIterable<T>): AsyncGenerator<T> {
    const batches = source[Symbol.asyncIterator]()
    for (;;) {
      const call = { site, kind: 'read', target: 'topics' } as const
      const { done, value } = await this.#cross(call, () => batches.next(), nothing)
      if (done) return
      yield value
    }
  }

  stillHolds(): Promise<boolean> {
    const call = { site: 'source.stillHolds', kind: 'read', target: 'group' } as const
    return this.#cross(call, () => this.#source.stillHolds(), nothing)
  }

  ack(positions: readonly PartitionPosition[]): Promise<void> {
    const call = { site: 'source.ack', kind: 'change', target: 'group' } as const
    return this.#cross(call, () => this.#source.ack(positions), nothing)
  }

  close(): Promise<void> {
    const call = { site: 'source.close', kind: 'change', target: 'group' } as const
    return this.#cross(call, () => this.#source.close(), nothing)
  }
}

async function nothing(): Promise<void> {}
