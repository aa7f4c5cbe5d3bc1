import { EngineError } from '../../core/errors.ts'
import type { PartitionRange, RawRecord } from '../../core/ports.ts'
import type { TableProgress } from '../../writers/table-progress.ts'
import { type Fingerprint, fingerprintOf, isSameFingerprint, type PassedPartition } from './passed-mark.ts'
import type { TableOwner } from './table-owner.ts'

/** How far one partition has been read in this run. */
export class PartitionProgress {
  readonly topic: string
  readonly partition: number
  readonly feeds: readonly Feed[]
  /**
   * The first offset that is new to somebody: the mark, since only the mark knows all tables that the partition feeds.
   * A table that is ahead of it skips what it has.
   */
  readonly startedAt: bigint
  /** What could be read when the partition came. */
  readonly firstOffset: bigint
  readonly endedAt: bigint
  /** `null`: the pipeline has not read the partition yet. */
  readonly mark: bigint | null
  #seen: Passed
  /** Seen after it. What is to be known of it is worked out when somebody asks, and not of every record. */
  #latest: { readonly record: RawRecord; readonly lastOwner: TableOwner | null } | null = null
  /** The table that its last readable record was about: unreadable ones are taken for records of this table. */
  lastOwner: TableOwner | null = null
  /** Tables that missed records, and `null` for all of them. */
  readonly #gaps = new Set<TableOwner | null>()
  /** Tables whose gaps a person has accepted, and the first offset behind the gap. */
  readonly #accepted = new Map<TableOwner, bigint>()
  /** Tables that records of this partition went to, or would have, and how far each has them. */
  readonly #owners = new Map<TableOwner, Passed>()
  /** The last record of each table that was set aside; they are set aside in order. */
  readonly #lastLetters = new Map<TableOwner, bigint>()
  /** The record before the passed mark as it was when it was passed; checked when it comes by. */
  readonly #expected: Fingerprint | null

  /** @param feeds the tables that its topic can feed */
  constructor(range: PartitionRange, passed: PassedPartition | null, feeds: readonly Feed[]) {
    this.feeds = feeds
    this.topic = range.topic
    this.partition = range.partition
    this.firstOffset = range.startOffset
    this.endedAt = range.endOffset
    this.mark = passed?.nextOffset ?? null
    this.startedAt = laterOf(this.mark, range.startOffset)!
    this.#expected = passed?.fingerprint ?? null
    this.#seen = { nextOffset: this.startedAt, fingerprint: this.#expected, lastOwner: null }
  }

  /** Where to read from: one record earlier than needed, to see whether it is the one we knew. */
  readFrom(): bigint {
    const print = this.#expected?.offset ?? this.startedAt
    return print < this.startedAt ? print : this.startedAt
  }

  /** A table missed records: the passed mark stays where it was, so that the next run finds the gap again. */
  get hasGap(): boolean {
    return this.#gaps.size > 0
  }

  /** Whether records are gone that this table has not had, and that nobody has accepted to do without. */
  lacks(owner: TableOwner): boolean {
    return this.#gaps.has(owner)
  }

  /** A person takes it upon them that the table does without the records before this offset that are gone. */
  acceptGap(owner: TableOwner, before: bigint): void {
    this.#gaps.delete(owner)
    this.#accepted.set(owner, before)
  }

  isAccepted(owner: TableOwner, before: bigint): boolean {
    return (this.#accepted.get(owner) ?? -1n) >= before
  }

  /** Whether the partition, as it was when its range was asked for, has what comes next for a table, or can still get it. */
  holdsNext(own: bigint | null): boolean {
    const position = laterOf(own, this.mark)
    return position === null || (position >= this.firstOffset && position <= this.endedAt)
  }

  /**
   * A topic never gets shorter.
   *
   * @param own the next offset of one of its tables in this partition; `null`: it has none
   * @throws EngineError `E_OFFSET_GAP` (stop-table) when the partition ends before it, or before the mark
   */
  refuseShorter(own: bigint | null): void {
    const position = laterOf(own, this.mark)
    if (position === null || position <= this.endedAt) return
    this.#gaps.add(null)
    const what = `the topic ends at ${this.endedAt}, before our position ${position}: it was deleted and made anew, or cut`
    const cure = readAnew(this.topic)
    throw this.#gap(position, what, cure)
  }

  /**
   * A table must get every record from its own position or the mark on, whichever is higher (design §3.4).
   *
   * @param own the table's next offset in this partition; `null`: it has none
   * @throws EngineError `E_OFFSET_GAP` (stop-table)
   */
  refuseGap(own: bigint | null, owner: TableOwner): void {
    const position = laterOf(own, this.mark)
    if (position === null || position >= this.startedAt || this.isAccepted(owner, this.startedAt)) return
    this.#gaps.add(owner)
    throw this.goneError(owner, position, this.startedAt)
  }

  /** Records of a table are gone from the topic: from `fromOffset` up to, and without, `toOffset`. */
  goneError({ contract: { name } }: TableOwner, fromOffset: bigint, toOffset: bigint): EngineError {
    const what = `records ${fromOffset} to ${toOffset - 1n} are gone from the topic (retention)`
    return this.#gap(fromOffset, what, `alluvium table resume ${name} --accept-gap goes on without them`)
  }

  #gap(offset: bigint, what: string, cure: string): EngineError {
    const message = `${what}; nothing is skipped silently: check the table against the source, then ${cure}`
    const { topic, partition } = this
    return new EngineError('E_OFFSET_GAP', 'stop-table', message, { topic, partition, offset })
  }

  /**
   * Looks at a record before anything else does. @returns whether it is new
   * @throws EngineError `E_TOPIC_RECREATED` (stop-table) when the record before the mark is another than it was
   */
  admit(record: RawRecord): boolean {
    if (
      record.offset === this.#expected?.offset &&
      !isSameFingerprint(fingerprintOf(record), this.#expected)
    ) {
      throw new EngineError(
        'E_TOPIC_RECREATED',
        'stop-table',
        'the record before our position is not the one that we passed: the topic was deleted and made anew, or its ' +
          `tail was lost; check the tables against the source, then ${readAnew(record.topic)}`,
        record,
      )
    }
    return record.offset >= this.startedAt
  }

  /** Every record before it has been dealt with in memory. */
  get seen(): Passed {
    if (this.#latest !== null) {
      this.#seen = passedBy(this.#latest.record, this.#latest.lastOwner)
      this.#latest = null
    }
    return this.#seen
  }

  /** The next offset to look at. */
  get seenNext(): bigint {
    return this.seen.nextOffset
  }

  /** Notes that a record has been dealt with in memory. */
  see(record: RawRecord): void {
    this.#latest = { record, lastOwner: this.lastOwner }
  }

  /** Notes a letter of a table. @returns whether it had not been set aside before */
  noteLetter(owner: TableOwner, { offset }: RawRecord): boolean {
    if (offset <= (this.#lastLetters.get(owner) ?? -1n)) return false
    this.#lastLetters.set(owner, offset)
    return true
  }

  /** Notes that there are no records before this offset that have not been seen. No record is held after it. */
  seeOffsetsBefore(nextOffset: bigint): void {
    const { seen } = this
    if (seen.nextOffset < nextOffset) this.#seen = { ...seen, nextOffset }
  }

  /** Notes that the next record goes to a table, or would if the table stood not still. */
  noteOwner(owner: TableOwner): void {
    if (owner.holds.has(this)) return
    owner.holds.add(this)
    this.#owners.set(owner, this.seen)
  }

  /** Notes that a table has everything that had been seen when a batch of it was closed. */
  notePassed(owner: TableOwner, passed: Passed): void {
    this.#owners.set(owner, passed)
  }

  /** How far a table is through: it has every record of its own before that, or was told why not. */
  passedBy(owner: TableOwner): Passed {
    return this.#owners.get(owner) ?? this.seen
  }

  /** How far every table has passed this partition. */
  passed(): PassedPartition {
    let least = this.seen
    for (const [owner, passed] of this.#owners) {
      if (owner.isBehind && passed.nextOffset < least.nextOffset) least = passed
    }
    const { nextOffset, fingerprint } = least
    return { topic: this.topic, partition: this.partition, nextOffset, fingerprint }
  }
}

/** One of the tables that a topic can feed. */
export interface Feed {
  readonly owner: TableOwner
  /** Whether it can be told where the table lies before a record names it. */
  readonly isKnown: boolean
  /** As its log said at the start; `null`: there is no table yet, or only a record can tell where it lies. */
  readonly progress: TableProgress | null
}

/** An offset, and the record before it when one was seen. */
export interface Passed extends Pick<PassedPartition, 'nextOffset' | 'fingerprint'> {
  /** The table that the last readable record before it was about. */
  readonly lastOwner: TableOwner | null
}

/** Up to this record and with it. */
export function passedBy(record: RawRecord, lastOwner: TableOwner | null): Passed {
  return { nextOffset: record.offset + 1n, fingerprint: fingerprintOf(record), lastOwner }
}

/** How a person has a topic read that is not what it was. */
function readAnew(topic: string): string {
  return `stop the pipeline and read the topic anew: alluvium checkpoint reset PIPELINE --topic ${topic} --to earliest`
}

/** The later of two offsets, where `null` is none. */
function laterOf(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null || b === null) return a ?? b
  return a > b ? a : b
}
