import type { ObjectInfo, ObjectStore, PutIfAbsentOutcome } from '../../../core/ports.ts'
import type { StoreSite } from '../../../core/store-sites.ts'
import { gathered } from '../../support/gathered.ts'

interface StoredObject {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

/** How a provider prices requests. */
export interface RequestCounts {
  /** PUT and LIST, the dear ones. */
  writes: number
  reads: number
  /** Of no cost with most providers. */
  deletes: number
}

/**
 * An object store in memory that stays quick with a hundred thousand objects: the paths of every log are kept in order,
 * and bytes are not copied. Counts requests, as a provider would bill them.
 */
export class MonthStore implements ObjectStore {
  readonly location = 'month://lake'
  readonly #objects = new Map<string, StoredObject>()
  /** Paths in a folder `_delta_log`, in order; new ones come at the end, old ones go at the start. */
  readonly #logPaths: string[] = []
  readonly #nowMs: () => number
  counts: RequestCounts = { writes: 0, reads: 0, deletes: 0 }
  logBytes = 0
  changeFileCount = 0
  fileBytes = 0
  writtenBytes = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get objectCount(): number {
    return this.#objects.size
  }

  get logObjectCount(): number {
    return this.#logPaths.length
  }

  takeCounts(): RequestCounts {
    const { counts } = this
    this.counts = { writes: 0, reads: 0, deletes: 0 }
    return counts
  }

  has(path: string): boolean {
    return this.#objects.has(path)
  }

  async get(_: StoreSite, path: string): Promise<Uint8Array | null> {
    this.counts.reads++
    return this.#objects.get(path)?.bytes ?? null
  }

  async getRange(_: StoreSite, path: string, start: number, end: number): Promise<Uint8Array | null> {
    this.counts.reads++
    return this.#objects.get(path)?.bytes.subarray(start, end) ?? null
  }

  async head(_: StoreSite, path: string): Promise<ObjectInfo | null> {
    this.counts.reads++
    const object = this.#objects.get(path)
    return object === undefined ? null : infoOf(path, object)
  }

  async put(_: StoreSite, path: string, bytes: Uint8Array): Promise<void> {
    this.counts.writes++
    this.#remove(path)
    this.#add(path, bytes)
  }

  async putParts(site: StoreSite, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.put(site, path, await gathered(parts))
  }

  async putIfAbsent(_: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    this.counts.writes++
    if (this.#objects.has(path)) return 'exists'
    this.#add(path, bytes)
    return 'created'
  }

  /** Logs are all that is listed while a table lives. */
  async list(
    _: StoreSite,
    prefix: string,
    startAfter = '',
    limit = Number.POSITIVE_INFINITY,
  ): Promise<readonly ObjectInfo[]> {
    this.counts.writes++
    const found: ObjectInfo[] = []
    const from = placeOf(this.#logPaths, startAfter > prefix ? startAfter : prefix)
    for (let at = from; at < this.#logPaths.length && found.length < limit; at++) {
      const path = this.#logPaths[at]!
      if (!path.startsWith(prefix)) break
      if (path > startAfter) found.push(infoOf(path, this.#objects.get(path)!))
    }
    return found
  }

  async delete(_: StoreSite, path: string): Promise<void> {
    this.counts.deletes++
    this.#remove(path)
  }

  #add(path: string, bytes: Uint8Array): void {
    this.#objects.set(path, { bytes, modifiedMs: this.#nowMs() })
    this.writtenBytes += bytes.length
    if (path.includes('/_change_data/')) this.changeFileCount++
    if (!path.includes('/_delta_log/')) this.fileBytes += bytes.length
    else {
      this.logBytes += bytes.length
      this.#logPaths.splice(placeOf(this.#logPaths, path), 0, path)
    }
  }

  #remove(path: string): void {
    const object = this.#objects.get(path)
    if (object === undefined) return
    this.#objects.delete(path)
    if (path.includes('/_change_data/')) this.changeFileCount--
    if (!path.includes('/_delta_log/')) this.fileBytes -= object.bytes.length
    else {
      this.logBytes -= object.bytes.length
      this.#logPaths.splice(placeOf(this.#logPaths, path), 1)
    }
  }
}

/** Where a path stands in a sorted list, or would. */
function placeOf(paths: readonly string[], path: string): number {
  let low = 0
  let high = paths.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (paths[middle]! < path) low = middle + 1
    else high = middle
  }
  return low
}

function infoOf(path: string, { bytes, modifiedMs }: StoredObject): ObjectInfo {
  return { path, sizeBytes: bytes.length, modifiedMs }
}
