import { EngineError } from '../../core/errors.ts'
import type { ObjectInfo, ObjectStore, PutIfAbsentOutcome } from '../../core/ports.ts'
import type { StoreSite } from '../../core/store-sites.ts'
import { gathered } from '../support/gathered.ts'
import type { SimProcess } from './sim-process.ts'
import type { World } from './world.ts'

/** When a client gives up. */
const TIMEOUT_MS = 30_000

const LOG_ENTRY = /^(.+)\/_delta_log\/\d{20}\.json$/

/** What a call does to the lake. */
interface Call<T> {
  readonly site: StoreSite
  readonly path: string
  readonly effect: () => T
  /** Leaves a part of what it should; `undefined`: the call is atomic. */
  readonly tear?: () => void
}

/** The lake as one process sees it: over a network that delays, loses and fails. */
export class SimStore implements ObjectStore {
  readonly location = 'sim://lake'
  readonly #process: SimProcess
  readonly #world: World

  constructor(process: SimProcess, world: World) {
    this.#process = process
    this.#world = world
  }

  get(site: StoreSite, path: string): Promise<Uint8Array | null> {
    return this.#call({ site, path, effect: () => this.#bytes(path) })
  }

  getRange(site: StoreSite, path: string, start: number, end: number): Promise<Uint8Array | null> {
    return this.#call({ site, path, effect: () => this.#bytes(path)?.slice(start, end) ?? null })
  }

  async head(site: StoreSite, path: string): Promise<ObjectInfo | null> {
    return (await this.#call({ site, path, effect: () => this.#lake.head(site, path) })) ?? null
  }

  put(site: StoreSite, path: string, bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice()
    if (site === 'data.put') this.#world.onStaging(this.#process)
    return this.#call({
      site,
      path,
      effect: () => this.#lake.seed(path, copy, this.#process.name),
      tear: () =>
        this.#lake.seed(path, copy.slice(0, this.#world.random.below(copy.length)), this.#process.name),
    })
  }

  async putParts(site: StoreSite, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    return this.put(site, path, await gathered(parts))
  }

  putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array): Promise<PutIfAbsentOutcome> {
    const copy = bytes.slice()
    const entry = LOG_ENTRY.exec(path)
    if (entry !== null) this.#world.onCommitAsked(entry[1]!)
    const effect = (): PutIfAbsentOutcome => {
      if (this.#lake.has(path)) return 'exists'
      this.#lake.seed(path, copy, this.#process.name)
      return 'created'
    }
    return this.#call({ site, path, effect })
  }

  async list(
    site: StoreSite,
    prefix: string,
    startAfter?: string,
    limit?: number,
  ): Promise<readonly ObjectInfo[]> {
    const effect = () => this.#lake.list(site, prefix, startAfter, limit)
    return this.#call({ site, path: prefix, effect })
  }

  delete(site: StoreSite, path: string): Promise<void> {
    return this.#call({ site, path, effect: () => void this.#lake.objects.delete(path) })
  }

  get #lake() {
    return this.#world.lake
  }

  #bytes(path: string): Uint8Array | null {
    return this.#lake.objects.get(path)?.bytes.slice() ?? null
  }

  #call<T>(call: Call<T | Promise<T>>): Promise<T> {
    const { scheduler, random, trace } = this.#world
    const { site, path } = call
    return new Promise((resolve, reject) => {
      if (!this.#process.isAlive) return
      const fault = this.#world.drawFault(site)
      trace.note(this.#process.name, `${site} ${path}${fault === null ? '' : ` ! ${fault}`}`)
      const there = this.#latencyMs()
      const back = there + this.#latencyMs()
      const answer = (how: () => void, atMs: number) => scheduler.in(atMs, () => this.#process.deliver(how))
      const fail = (what: string) => () =>
        reject(new EngineError('E_STORE', 'retry', `${what}: ${site} ${path}`))
      const done = (delayMs: number) => scheduler.in(delayMs, () => void call.effect())
      switch (fault) {
        case 'before':
          return answer(fail('refused'), back)
        case 'after':
          done(there)
          return answer(fail('no answer'), back)
        case 'hang':
          if (random.chance(0.6)) done(random.chance(0.5) ? there : random.below(2 * TIMEOUT_MS))
          return answer(fail('timed out'), TIMEOUT_MS)
        case 'torn':
          if (random.chance(0.7)) scheduler.in(there, () => call.tear?.())
          return answer(fail('broken off'), back)
        case 'kill':
          if (random.chance(0.6)) done(random.chance(0.5) ? there : random.below(20_000))
          return this.#process.kill()
        default: {
          const lateMs = fault === 'slow' ? 20_000 * random.next() ** 2 : 0
          scheduler.in(there + lateMs, () => {
            const result = call.effect()
            answer(() => resolve(result), back - there)
          })
        }
      }
    })
  }

  #latencyMs(): number {
    return 1 + 30 * this.#world.random.next() ** 3
  }
}
