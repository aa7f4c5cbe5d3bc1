import { EngineError } from '../../core/errors.ts'
import type { PartitionRange, RawRecord } from '../../core/ports.ts'
import { type Fingerprint, fingerprintOf, isSameFingerprint, type PassedPartition } from './passed-mark.ts'
import type { TableOwner } from './table-owner.ts'

/** How far one partition has been read in this run. */
export class PartitionProgress {
  readonly topic: string
  readonly partition: number
  /**
   * The first offset that is new to somebody: the mark, since only the mark knows all tables that the partition feeds.
   * A table that is ahead of it skips what it has.
   */
  readonly startedAt: bigint
  /** Every record before it has been dealt with in memory. */
  #seen: Passed
  /** The table that its last readable record was about: unreadable ones are taken for records of this table. */
  lastOwner: TableOwner | null = null
  /** A table missed records: the passed mark stays where it was, so that the next run finds the gap again. */
  hasGap = false
  /** Tables that records of this partition went to, or would have, and how far each has them. */
  readonly #owners = new Map<TableOwner, Passed>()
  readonly #endedAt: bigint
  readonly #mark: bigint | null
  /** The record before the passed mark as it was when it was passed; checked when it comes by. */
  readonly #expected: Fingerprint | null

  constructor(range: PartitionRange, passed: PassedPartition | null) {
    this.topic = range.topic
    this.partition = range.partition
    this.#endedAt = range.endOffset
    this.#mark = passed?.nextOffset ?? null
    this.startedAt = laterOf(this.#mark, range.startOffset)!
    this.#expected = passed?.fingerprint ?? null
    this.#seen = { nextOffset: this.startedAt, fingerprint: this.#expected }
  }

  /** Where to read from: one record earlier than needed, to see whether it is the one we knew. */
  readFrom(): bigint {
    const print = this.#expected?.offset ?? this.startedAt
    return print < this.startedAt ? print : this.startedAt
  }

  /**
   * A topic never gets shorter.
   *
   * @param own the next offset of one of its tables in this partition; `null`: it has none
   * @throws EngineError `E_OFFSET_GAP` (stop-table) when the partition ends before it, or before the mark
   */
  refuseShorter(own: bigint | null): void {
    const position = laterOf(own, this.#mark)
    if (position === null || position <= this.#endedAt) return
    this.hasGap = true
    const what = `the topic ends at ${this.#endedAt}, before our position ${position}: it was deleted and made anew, or cut`
    throw this.#gap(position, what)
  }

  /**
   * A table must get every record from its own position or the mark on, whichever is higher (design §3.4).
   *
   * @param own the table's next offset in this partition; `null`: it has none
   * @throws EngineError `E_OFFSET_GAP` (stop-table)
   */
  refuseGap(own: bigint | null): void {
    this.refuseShorter(own)
    const position = laterOf(own, this.#mark)
    if (position === null || position >= this.startedAt) return
    this.hasGap = true
    throw this.#gap(
      position,
      `records ${position} to ${this.startedAt - 1n} are gone from the topic (retention)`,
    )
  }

  #gap(offset: bigint, what: string): EngineError {
    const cure = 'check the tables against the source, then read the topic under another pipeline name'
    return new EngineError('E_OFFSET_GAP', 'stop-table', `${what}; nothing is skipped silently: ${cure}`, {
      topic: this.topic,
      partition: this.partition,
      offset,
    })
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
          'tail was lost; check the tables against the source, then read it under another pipeline name',
        record,
      )
    }
    return record.offset >= this.startedAt
  }

  /** The next offset to look at. */
  get seenNext(): bigint {
    return this.#seen.nextOffset
  }

  /** Notes that a record has been dealt with in memory. */
  see(record: RawRecord): void {
    this.#seen = { nextOffset: record.offset + 1n, fingerprint: fingerprintOf(record) }
  }

  /** Notes that there are no records before this offset that have not been seen. */
  seeOffsetsBefore(nextOffset: bigint): void {
    if (this.#seen.nextOffset < nextOffset) this.#seen = { ...this.#seen, nextOffset }
  }

  /** Notes that the next record goes to a table, or would if the table stood not still. */
  noteOwner(owner: TableOwner): void {
    if (owner.holds.has(this)) return
    owner.holds.add(this)
    this.#owners.set(owner, this.#seen)
  }

  /** Notes that a table has everything that was seen. */
  notePassed(owner: TableOwner): void {
    this.#owners.set(owner, this.#seen)
  }

  /** How far every table has passed this partition. */
  passed(): PassedPartition {
    let least = this.#seen
    for (const [owner, passed] of this.#owners) {
      if (owner.isBehind && passed.nextOffset < least.nextOffset) least = passed
    }
    return { topic: this.topic, partition: this.partition, ...least }
  }
}

/** An offset, and the record before it when one was seen. */
type Passed = Pick<PassedPartition, 'nextOffset' | 'fingerprint'>

/** The later of two offsets, where `null` is none. */
function laterOf(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null || b === null) return a ?? b
  return a > b ? a : b
}
