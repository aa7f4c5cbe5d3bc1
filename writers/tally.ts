/** What became of records, each counted once (design P4). */
export interface Tally {
  /** Told the table something, or would have (a delete of an unknown key, a truncate). */
  applied: number
  /** Folded away: a later event of the key in the same batch decided. */
  superseded: number
  /** Older than what the table holds. */
  stale: number
  /** Read again: below the table's `txn`, or sent again by the connector. */
  duplicates: number
  /** Unrouted, excluded, or changed nothing. */
  ignored: number
  tombstones: number
  control: number
  /** Left in the topic because their table is stopped. */
  parked: number
  deadLetters: number
}

export function emptyTally(): Tally {
  return {
    applied: 0,
    superseded: 0,
    stale: 0,
    duplicates: 0,
    ignored: 0,
    tombstones: 0,
    control: 0,
    parked: 0,
    deadLetters: 0,
  }
}

export function addTally(to: Tally, from: Tally): void {
  for (const name of Object.keys(from) as (keyof Tally)[]) to[name] += from[name]
}

/** All records counted. */
export function tallyTotal(tally: Tally): number {
  return Object.values(tally).reduce((sum: number, count: number) => sum + count, 0)
}
