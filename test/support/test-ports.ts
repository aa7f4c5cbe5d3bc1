import { setImmediate as turn } from 'node:timers/promises'
import { unobserved } from '../../core/fact.ts'
import type { Clock, Logger, Random } from '../../core/ports.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import type { MemoryStore } from './memory-store.ts'
import { SeededRandom } from './seeded-random.ts'

/** Everything a table writer asks of the world, without a world: time stands still but for sleeping. */
export function testPorts(store: MemoryStore, stepReached: (step: string) => void = () => {}): TableLogPorts {
  return {
    store,
    clock: new HandClock(),
    random: countedRandom(),
    logger: SILENT,
    stepReached,
    observe: unobserved,
  }
}

export class HandClock implements Clock {
  now = 1_700_000_000_000

  nowMs(): number {
    return this.now
  }

  monotonicMs(): number {
    return this.now
  }

  /** Whoever can be woken sleeps only when nothing else is left to do. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal !== undefined) await turn()
    if (signal?.aborted !== true) this.now += Math.ceil(ms)
  }
}

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

let seed = 0

/** Names that no other source of this process gives out, the same in every run. */
export function countedRandom(): Random {
  const random = new SeededRandom(++seed)
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256))
  return {
    bytes,
    uuid: () =>
      Buffer.from(bytes(16))
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  }
}
