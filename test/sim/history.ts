/** Values of one row by column; integers are `number` here, and a column that is not named is null. */
export type Row = Readonly<Record<string, number | string | null>>

/** `(seq, lsn)` of a streamed event. */
export type Place = readonly [seq: number, lsn: number]

/** What a record means for its table, once and for all: the truth beside the bytes. */
export type Effect =
  /** The key holds this row from now on. `place` null: read by a snapshot that stood at `lsn`. */
  | {
      readonly kind: 'put'
      readonly key: string
      readonly row: Row
      readonly place: Place | null
      readonly lsn: number
    }
  | { readonly kind: 'remove'; readonly key: string; readonly place: Place }
  /** Everything from before it is gone. */
  | { readonly kind: 'truncate'; readonly place: Place }
  /** Of a table without a key: one such row less, one such row more. */
  | {
      readonly kind: 'exchange'
      readonly gone: Row | null
      readonly come: Row | null
      readonly place: Place | null
      readonly lsn: number
    }
  | { readonly kind: 'entry'; readonly op: string; readonly row: Row }

export interface Entry {
  readonly offset: bigint
  readonly table: string
  readonly effect: Effect
}

export interface Letter {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/** What all records mean, by `topic/partition` and offset. Records that mean nothing (sent again, markers) are not in it. */
export class History {
  readonly #entries = new Map<string, Entry[]>()
  /** Records that nobody can read. */
  readonly letters: Letter[] = []

  note(partition: string, entry: Entry): void {
    const entries = this.#entries.get(partition) ?? []
    entries.push(entry)
    this.#entries.set(partition, entries)
  }

  /** Effects on one table of the records of a partition with offsets in `[from, to)`. */
  between(table: string, partition: string, from: bigint, to: bigint): Effect[] {
    const entries = this.#entries.get(partition) ?? []
    return entries
      .filter((entry) => entry.table === table && entry.offset >= from && entry.offset < to)
      .map(({ effect }) => effect)
  }

  get partitions(): Iterable<string> {
    return this.#entries.keys()
  }
}
