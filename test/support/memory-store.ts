import type { ObjectInfo, ObjectStore, PutIfAbsentOutcome } from '../../core/ports.ts'
import { compareUtf8 } from '../../core/utf8-order.ts'
import { gathered } from './gathered.ts'

/**
 * An object store in a `Map`, exact to the port: bytes are copied in and out, listings are in UTF-8 byte order.
 *
 * `before` runs ahead of every call and may throw: that is how a test makes the world fail at one site.
 */
export class MemoryStore implements ObjectStore {
  readonly location = 'memory://lake'
  readonly objects = new Map<string, { bytes: Uint8Array; modifiedMs: number }>()
  /** `site path` of every call, in order. */
  readonly calls: string[] = []
  before: (operation: string, site: string, path: string) => void = () => {}
  /** Runs after the store changed and before the answer is given: the place of a lost answer. */
  after: (operation: string, site: string, path: string) => void = () => {}
  nowMs = 1_700_000_000_000

  async get(site: string, path: string): Promise<Uint8Array | null> {
    this.#enter('get', site, path)
    return this.objects.get(path)?.bytes.slice() ?? null
  }

  async getRange(site: string, path: string, start: number, end: number): Promise<Uint8Array | null> {
    this.#enter('getRange', site, path)
    return this.objects.get(path)?.bytes.slice(start, end) ?? null
  }

  async head(site: string, path: string): Promise<ObjectInfo | null> {
    this.#enter('head', site, path)
    const object = this.objects.get(path)
    return object === undefined ? null : info(path, object)
  }

  async put(site: string, path: string, bytes: Uint8Array): Promise<void> {
    this.#enter('put', site, path)
    this.#store(path, bytes)
    this.after('put', site, path)
  }

  async putParts(site: string, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.put(site, path, await gathered(parts))
  }

  async putIfAbsent(site: string, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    this.#enter('putIfAbsent', site, path)
    if (this.objects.has(path)) return 'exists'
    this.#store(path, bytes)
    this.after('putIfAbsent', site, path)
    return 'created'
  }

  async list(
    site: string,
    prefix: string,
    startAfter?: string,
    limit?: number,
  ): Promise<readonly ObjectInfo[]> {
    this.#enter('list', site, prefix)
    const found: ObjectInfo[] = []
    for (const [path, object] of this.objects) {
      if (!path.startsWith(prefix)) continue
      if (startAfter !== undefined && compareUtf8(path, startAfter) <= 0) continue
      found.push(info(path, object))
    }
    return found.sort((a, b) => compareUtf8(a.path, b.path)).slice(0, limit)
  }

  async delete(site: string, path: string): Promise<void> {
    this.#enter('delete', site, path)
    this.objects.delete(path)
    this.after('delete', site, path)
  }

  /** Puts an object there without being a call: what a test starts from. */
  seed(path: string, content: Uint8Array | string): void {
    this.#store(path, typeof content === 'string' ? new TextEncoder().encode(content) : content)
  }

  #enter(operation: string, site: string, path: string): void {
    this.calls.push(`${site} ${path}`)
    this.before(operation, site, path)
  }

  #store(path: string, bytes: Uint8Array): void {
    this.objects.set(path, { bytes: bytes.slice(), modifiedMs: this.nowMs })
  }
}

function info(path: string, object: { bytes: Uint8Array; modifiedMs: number }): ObjectInfo {
  return { path, sizeBytes: object.bytes.length, modifiedMs: object.modifiedMs }
}
