import type { TableLogPorts } from '../../writers/table-log.ts'
import type { TableOwner } from './table-owner.ts'
import { upkeepFailed } from './upkeep-failed.ts'

/** At the end of a run merges that are due have so long; a run that comes and goes would else never merge. */
const SETTLE_MS = 3000
/** What is not on disk by then is found out anew by the next start. */
const SAVE_MS = 10_000
/** A table whose upkeep failed is left alone for a while. */
const REST_MS = 60_000

/**
 * Keeps tables in shape beside the stream (design §3.5): after a flush its log is summed up and small files are merged,
 * one table after another. Whatever goes wrong here is told and tried again later; no table stops for it.
 */
export class Maintenance {
  readonly #ports: TableLogPorts
  readonly #due = new Set<TableOwner>()
  readonly #restUntilMs = new Map<TableOwner, number>()
  #running: Promise<void> | null = null
  #ending = new AbortController()

  constructor(ports: TableLogPorts) {
    this.#ports = ports
  }

  /** A table was flushed: what it needs is done in the background. */
  after(owner: TableOwner): void {
    this.#due.add(owner)
    this.#running ??= this.#run(this.#ending.signal)
  }

  /** Resolves when nothing runs any more: what is due is done, or given up after a moment. */
  async settle(): Promise<void> {
    if (this.#running === null) return
    const done = new AbortController()
    await Promise.race([this.#running, this.#ports.clock.sleep(SETTLE_MS, done.signal)])
    done.abort()
    this.#ending.abort()
    await this.#running
    this.#ending = new AbortController()
  }

  /** What tables know of their rows is kept for the next start, as far as there is time. */
  async keepForNextStart(owners: Iterable<TableOwner>): Promise<void> {
    const { clock } = this.#ports
    const until = clock.monotonicMs() + SAVE_MS
    for (const { writer } of owners) {
      if (clock.monotonicMs() < until) await writer?.saveLocator(this.#ending.signal)
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#ports.clock.sleep(0)
    for (const owner of this.#due) {
      this.#due.delete(owner)
      if (!signal.aborted && (await this.#maintain(owner, signal))) this.#due.add(owner)
    }
    this.#running = null
  }

  /** @returns whether there may be more to do */
  async #maintain(owner: TableOwner, signal: AbortSignal): Promise<boolean> {
    const { clock, logger, observe } = this.#ports
    const { writer, contract } = owner
    if (writer === null || owner.stopped !== null || owner.isHeld) return false
    if (clock.monotonicMs() < (this.#restUntilMs.get(owner) ?? 0)) return false
    try {
      const isOurs = () => owner.writer === writer && !owner.isHeld
      if (await writer.upkeepWhenDue(isOurs))
        observe({ kind: 'upkeep-ended', table: contract.name, failure: null })
      await writer.keepLocator(signal)
      const report = await writer.mergeWhenDue(signal, isOurs)
      if (report === null) return false
      const { filesRemoved, bytesRead, bytesWritten } = report
      observe({ kind: 'table-merged', table: contract.name, filesRemoved, bytesRead, bytesWritten })
      logger.debug({ event: 'table.merged', table: contract.name, ...report }, 'merged small files')
      return true
    } catch (error) {
      this.#restUntilMs.set(owner, clock.monotonicMs() + REST_MS)
      const failure = upkeepFailed(logger, contract.name, error)
      observe({ kind: 'upkeep-ended', table: contract.name, failure })
      return false
    }
  }
}
