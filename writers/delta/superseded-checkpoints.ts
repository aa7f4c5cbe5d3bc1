import type { ObjectStore } from '../../core/ports.ts'
import { checkpointPath } from './log-path.ts'

/** A reader that has begun with a checkpoint is done with it after so long. */
const READ_MS = 3_600_000
/**
 * Of a busy table's checkpoints one is kept for about so many commits: time travel begins with it. A cleanup of the log,
 * which looks at a thousand objects, must meet two of them.
 */
const KEPT_EVERY = 500

/**
 * The checkpoints that this process wrote and that newer ones have replaced. Each sums up all that the log remembers,
 * the removed files of a day among it: those of a week would be many times the table. The log is whole without them, so
 * one of five is kept, and an older version is read from that and some hundred entries.
 *
 * What a process wrote that died stays until the log is cleaned.
 *
 * @see PROTOCOL.md "Checkpoints": a reader takes the newest that leads to its version, if there is one
 */
export class SupersededCheckpoints {
  readonly #store: ObjectStore
  readonly #tablePath: string
  /** Ascending. */
  readonly #written: { readonly version: number; readonly writtenMs: number }[] = []
  #keptVersion = Number.NEGATIVE_INFINITY

  constructor(store: ObjectStore, tablePath: string) {
    this.#store = store
    this.#tablePath = tablePath
  }

  /**
   * Deletes what has been replaced long enough.
   *
   * @param version of the checkpoint that was written now; the pointer names it, or a newer one
   * @throws what the store throws; a checkpoint that could not be deleted stays
   */
  async deleteBefore(version: number, nowMs: number): Promise<void> {
    while (this.#written.length > 0 && this.#written[0]!.writtenMs < nowMs - READ_MS) {
      const old = this.#written.shift()!
      if (old.version >= this.#keptVersion + KEPT_EVERY) this.#keptVersion = old.version
      else await this.#store.delete('log.clean', checkpointPath(this.#tablePath, old.version))
    }
    this.#written.push({ version, writtenMs: nowMs })
  }
}
