import type { RowImage, RowKey } from '../schemas/change-event.ts'
import type { RowCounts } from './table-mode.ts'

/** One row as a moment of the source has it. */
export interface MomentRow {
  readonly key: RowKey
  /** `null`: the moment has no such row. What it has as `UNAVAILABLE` stays as it is stored, and so do columns that it does not name. */
  readonly image: RowImage | null
}

/**
 * Rows that were read of the source itself at one moment, for a table whose stream goes on. Whoever gives them has kept
 * this order:
 *
 * 1. asked the table's owner to watch (`MomentRowsTaker.watch`),
 * 2. held the moment and read the rows,
 * 3. waited until the lake holds everything that the moment sees (`dq/stream-barrier.ts`).
 *
 * So what the table takes in after the third is of transactions that the moment does not see, or is sent again.
 */
export interface MomentRows {
  /** Names them among all that the table was ever given: the same are never committed twice. */
  readonly id: bigint
  readonly watch: string
  /** The moment, as `pg_current_snapshot()` tells it. */
  readonly snapshot: string
  /** At most one of each key. */
  readonly rows: readonly MomentRow[]
  /** Columns whose values the table has been shown to hold in all rows: it no longer calls them incomplete. */
  readonly complete?: readonly string[] | undefined
}

/** What became of rows of a moment; each is in `counts`, in `unchanged` or in `deferred`. */
export interface MomentReport {
  /** The table's version after it; `null`: there is no table. */
  readonly version: number | null
  readonly counts: RowCounts
  /** Rows that the table had just so: nothing was written. */
  readonly unchanged: number
  /**
   * Places in `rows` of those that were left as they are, since a transaction that the moment does not see has touched
   * them, or may have: the table may know newer than they do. To be read again at another moment.
   */
  readonly deferred: readonly number[]
  /** Why all of them were deferred; `null`: they were not, or each for itself. */
  readonly why: string | null
}

/** Who commits rows of a moment to a table: its owner, in this process or in another one. */
export interface MomentRowsTaker {
  /**
   * From now on the owner remembers which keys the stream touches. To be asked before the moment is held.
   *
   * @returns a name for `MomentRows.watch`; it is good for ten minutes, and for as long as the table keeps its owner
   */
  watch(): Promise<string>
  /** Commits them in one piece, before or after any batch of the stream. */
  give(rows: Omit<MomentRows, 'id'>): Promise<MomentReport>
}

/** Rows of one piece: what is planned and staged at once. */
export const MOMENT_ROWS_MAX = 10_000

export function allDeferred({ rows }: MomentRows, version: number | null, why: string): MomentReport {
  const counts = { inserted: 0, updated: 0, deleted: 0 }
  return { version, counts, unchanged: 0, deferred: rows.map((_, i) => i), why }
}
