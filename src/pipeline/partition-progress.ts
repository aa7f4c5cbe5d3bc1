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
  seenNext: bigint
  /** The table that its last readable record was about: unreadable ones are taken for records of this table. */
  lastOwner: TableOwner | null = null
  /** A table missed records: the passed mark stays where it was, so that the next run finds the gap again. */
  hasGap = false
  /** Tables that records of this partition went to, or would have; with the first of these records. */
  readonly #owners = new Map<TableOwner, bigint>()
  readonly #endedAt: bigint
  readonly #mark: bigint | null
  /** The record before the passed mark as it was when it was passed; checked when it comes by. */
  readonly #expected: Fingerprint | null
  #lastSeen: Fingerprint | null

  constructor(range: PartitionRange, passed: PassedPartition | null) {
    this.topic = range.topic
    this.partition = range.partition
    this.#endedAt = range.endOffset
    this.#mark = passed?.nextOffset ?? null
    this.startedAt = laterOf(this.#mark, range.startOffset)!
    this.seenNext = this.startedAt
    this.#expected = passed?.fingerprint ?? null
    this.#lastSeen = this.#expected
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
    if (record.offset < this.startedAt) return false
    this.#lastSeen = fingerprintOf(record)
    return true
  }

  /** Notes that a record goes to a table, or would if the table stood not still. */
  noteOwner(owner: TableOwner, offset: bigint): void {
    if (!this.#owners.has(owner)) this.#owners.set(owner, offset)
  }

  /** How far every table has passed this partition. */
  passed(): PassedPartition {
    let nextOffset = this.seenNext
    for (const [owner, firstOffset] of this.#owners) {
      if (!owner.isBehind) continue
      const passed = laterOf(owner.nextOffset(this), firstOffset)!
      if (passed < nextOffset) nextOffset = passed
    }
    // The record before the mark is known only when the mark stands behind the last record seen.
    const isAtLast =
      this.#lastSeen !== null && this.#lastSeen.offset < nextOffset && nextOffset === this.seenNext
    const { topic, partition } = this
    return { topic, partition, nextOffset, fingerprint: isAtLast ? this.#lastSeen : null }
  }
}

/** The later of two offsets, where `null` is none. */
function laterOf(a: bigint | null, b: bigint | null): bigint | null {
  if (a === null || b === null) return a ?? b
  return a > b ? a : b
}
