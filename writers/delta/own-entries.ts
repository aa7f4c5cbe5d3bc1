import { EngineError } from '../../core/errors.ts'
import type { Clock, ObjectStore } from '../../core/ports.ts'
import type { CommitInfo } from './actions.ts'
import { loadCommits } from './load-snapshot.ts'

/** Between two looks: many entries share one, and a writer that overwrites does it within seconds. */
const LOOK_EVERY_MS = 60_000
/** Of more entries since the last look the oldest are let go. */
const REMEMBERED_MAX = 256

/**
 * The entries that we wrote and have not seen again. A writer that puts log entries without a condition (Spark on
 * `s3a://`) takes away a commit of ours without a sign: all later commits succeed. So each entry is read once more, a
 * while after it was written. Costs a GET a commit.
 *
 * @see delta-protocol §12, §14 trap 10
 */
export class OwnEntries {
  readonly #store: ObjectStore
  readonly #tablePath: string
  readonly #clock: Clock
  /** Commit ids by version, ascending. */
  readonly #written = new Map<number, string>()
  #lookedMs: number

  constructor(store: ObjectStore, tablePath: string, clock: Clock) {
    this.#store = store
    this.#tablePath = tablePath
    this.#clock = clock
    this.#lookedMs = clock.monotonicMs()
  }

  remember(version: number, commitId: string): void {
    this.#written.set(version, commitId)
    if (this.#written.size > REMEMBERED_MAX) this.#written.delete(this.#written.keys().next().value!)
  }

  /**
   * Reads what was written since the last look, when that is long enough ago. On a bad day of the store the look comes
   * with a later commit.
   *
   * @throws EngineError `E_LOG_OVERWRITTEN` (stop-table) naming the intruder; what `loadCommits` throws but `retry`
   */
  async lookWhenDue(): Promise<void> {
    const [first] = this.#written.keys()
    const nowMs = this.#clock.monotonicMs()
    if (first === undefined || nowMs - this.#lookedMs < LOOK_EVERY_MS) return
    const last = [...this.#written.keys()].at(-1)!
    try {
      for (const { version, actions } of await loadCommits(this.#store, this.#tablePath, first, last)) {
        const info = actions.find((action) => action.kind === 'commitInfo')
        const ours = this.#written.get(version)
        if (ours !== undefined && info?.txnId !== ours) throw overwritten(this.#tablePath, version, info)
      }
    } catch (error) {
      if (error instanceof EngineError && error.remedy === 'retry') return
      throw error
    }
    this.#lookedMs = nowMs
    this.#written.clear()
  }
}

function overwritten(table: string, version: number, info: CommitInfo | undefined): EngineError {
  const who = info?.engineInfo ?? 'an unknown writer'
  const what = info?.operation === undefined ? '' : ` (operation ${info.operation})`
  return new EngineError(
    'E_LOG_OVERWRITTEN',
    'stop-table',
    `${who}${what} overwrote a commit of ours, whose rows are gone from the table; stop that writer, or let the bucket ` +
      'refuse it (docs/guide/s3.md), then take the topic in anew into another lake',
    { table, version },
  )
}
