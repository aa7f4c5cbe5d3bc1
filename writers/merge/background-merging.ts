import type { Action } from '../delta/actions.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import type { FollowedTable } from '../followed-table.ts'
import type { TableLog } from '../table-log.ts'
import type { Turns } from '../turns.ts'
import { BACKGROUND_GOAL } from './merge-plan.ts'
import type { MergedTable, MergeReport, TableMerger } from './table-merger.ts'

/** Merges the files of a table beside the flushes of its writer: only a merge's own small commit takes a turn among them. */
export class BackgroundMerging {
  readonly #merger: TableMerger
  readonly #table: FollowedTable
  readonly #log: TableLog
  readonly #turns: Turns
  /** Takes over the version of a stranger who won a race. */
  readonly #follow: (snapshot: TableSnapshot) => Promise<void>
  #isMerging = false

  constructor(
    merger: TableMerger,
    table: FollowedTable,
    log: TableLog,
    turns: Turns,
    follow: (snapshot: TableSnapshot) => Promise<void>,
  ) {
    this.#merger = merger
    this.#table = table
    this.#log = log
    this.#turns = turns
    this.#follow = follow
  }

  /** @see TableWriter.mergeWhenDue */
  async mergeWhenDue(signal: AbortSignal, mayCommit: () => boolean): Promise<MergeReport | null> {
    const { mode, state } = this.#table
    if (this.#isMerging || mode === null || state === null || signal.aborted) return null
    this.#isMerging = true
    try {
      return await this.#merger.merge(this.#mergedTable(mayCommit), BACKGROUND_GOAL, signal)
    } catch (error) {
      if (signal.aborted) return null
      throw error
    } finally {
      this.#isMerging = false
    }
  }

  /** Notes what a flush has committed. */
  note(actions: readonly Action[]): void {
    this.#merger.note(actions)
  }

  #mergedTable(mayCommit: () => boolean): MergedTable {
    const table = this.#table
    return {
      get snapshot() {
        return table.snapshot
      },
      get mode() {
        return table.mode
      },
      commit: (prepare, onCommitted) =>
        this.#turns.take(async () => {
          const isCommitted = mayCommit() && (await this.#commit(prepare))
          if (isCommitted) onCommitted()
          if (isCommitted) table.noteCommit()
          return isCommitted
        }),
    }
  }

  async #commit(prepare: Parameters<MergedTable['commit']>[0]): Promise<boolean> {
    try {
      return await this.#log.commit(prepare, this.#follow)
    } catch (error) {
      // The log may have moved on without the locator: the next flush makes it anew.
      this.#table.forget()
      throw error
    }
  }
}
