import type { ChangeEvent } from '../../schemas/change-event.ts'
import { type Visibility, visibilityOf } from '../../schemas/visibility.ts'
import { readBackfillState } from './backfill-state.ts'

/**
 * Which events tell what a backfill has read already. Not their position decides: a transaction that was open when the
 * backfill began wrote below what others had committed, and none of it was read. Its id decides.
 *
 * @see reliability §6 "Handoff in one rule"
 */
export class SeenByBackfill {
  readonly #visibility: Visibility
  readonly #lsn: bigint

  private constructor(snapshot: string, lsn: bigint) {
    this.#visibility = visibilityOf(snapshot)
    this.#lsn = lsn
  }

  /** @returns `null`: the table was not made by a backfill */
  static of(configuration: Readonly<Record<string, string>>): SeenByBackfill | null {
    const state = readBackfillState(configuration)
    return state === null ? null : new SeenByBackfill(state.snapshot, state.lsn)
  }

  /**
   * Beyond what stood in the log when the backfill began nothing is judged: ids of transactions come again after 2^32, and
   * a new history of the source (`--new-epoch`) has others.
   *
   * Rows of a connector's own snapshot are of one moment each: one before the backfill tells nothing that it did not see,
   * and what came later the stream tells.
   */
  has({ op, lsn, readAfter, txId, position }: ChangeEvent): boolean {
    if (op === 'r') {
      const readAt = readAfter?.lsn ?? lsn
      return readAt !== null && readAt < this.#lsn
    }
    const isInReach = lsn !== null && lsn < this.#lsn && (position === null || position.epoch === 0)
    return isInReach && txId !== null && this.#visibility.sees(txId)
  }
}
