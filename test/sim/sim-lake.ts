import type { ObjectInfo } from '../../core/ports.ts'
import { MemoryStore } from '../support/memory-store.ts'

/** An entry of a table's log that has come to be. */
export interface Landing {
  readonly tablePath: string
  readonly version: number
  readonly bytes: Uint8Array
  /** Name of the process, or of the stranger. */
  readonly by: string
}

export const STRANGER = 'stranger'

/** Longer than any process sleeps: then an object looks as old as the world, and what is kept for days may go. */
const OLD_AFTER_MS = 60_000

/** All objects there are, whoever wrote them, and what has landed in the logs since somebody looked. */
export class SimLake extends MemoryStore {
  /** Who made which commit, by the id that it bears. */
  readonly authors = new Map<string, { readonly tablePath: string; readonly by: string }>()
  #landings: Landing[] = []

  takeLandings(): readonly Landing[] {
    const landings = this.#landings
    this.#landings = []
    return landings
  }

  override async list(...args: Parameters<MemoryStore['list']>): Promise<readonly ObjectInfo[]> {
    const found = await super.list(...args)
    return found.map((each) =>
      this.nowMs - each.modifiedMs > OLD_AFTER_MS ? { ...each, modifiedMs: 0 } : each,
    )
  }

  has(path: string): boolean {
    return this.objects.has(path)
  }

  override seed(path: string, content: Uint8Array | string, by = STRANGER): void {
    super.seed(path, content)
    const entry = /^(.+)\/_delta_log\/(\d{20})\.json$/.exec(path)
    if (entry === null) return
    const { bytes } = this.objects.get(path)!
    const id = /"txnId":"([^"]+)"/.exec(Buffer.from(bytes).toString())?.[1]
    if (id !== undefined) this.authors.set(id, { tablePath: entry[1]!, by })
    this.#landings.push({ tablePath: entry[1]!, version: Number(entry[2]), bytes, by })
  }
}
