import { EngineError } from '../../core/errors.ts'
import type { PartitionPosition, PartitionRange, RawRecord } from '../../core/ports.ts'
import { type Fingerprint, fingerprintOf, isSameFingerprint, type PassedPartition } from './passed-mark.ts'
import type { TableOwner } from './table-owner.ts'

/** How far one partition has been read in this run. */
export class PartitionProgress {
  readonly topic: string
  readonly partition: number
  /** The first offset that is new to somebody. */
  readonly startedAt: bigint
  /** Every record before it has been dealt with in memory. */
  seenNext: bigint
  /** Tables that records of this partition went to, or would have. */
  readonly owners = new Set<TableOwner>()
  /** The record before the passed mark as it was when it was passed; checked when it comes by. */
  readonly #expected: Fingerprint | null
  #lastSeen: Fingerprint | null

  constructor(range: PartitionRange, startedAt: bigint, passed: PassedPartition | null) {
    this.topic = range.topic
    this.partition = range.partition
    this.startedAt = startedAt
    this.seenNext = startedAt
    this.#expected = passed?.fingerprint ?? null
    this.#lastSeen = this.#expected
    refuseGap(range, startedAt)
  }

  /** Where to read from: one record earlier than needed, to see whether it is the one we knew. */
  readFrom(): PartitionPosition {
    const { topic, partition, startedAt } = this
    const print = this.#expected?.offset ?? startedAt
    return { topic, partition, nextOffset: print < startedAt ? print : startedAt }
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

  /** How far every table has passed this partition. */
  passed(): PassedPartition {
    let nextOffset = this.seenNext
    for (const owner of this.owners) {
      const passed = owner.passedNext(this)
      if (passed < nextOffset) nextOffset = passed
    }
    // The record before the mark is known only when the mark stands behind the last record seen.
    const isAtLast =
      this.#lastSeen !== null && this.#lastSeen.offset < nextOffset && nextOffset === this.seenNext
    const { topic, partition } = this
    return { topic, partition, nextOffset, fingerprint: isAtLast ? this.#lastSeen : null }
  }
}

function refuseGap({ topic, partition, startOffset, endOffset }: PartitionRange, startedAt: bigint): void {
  if (startedAt >= startOffset && startedAt <= endOffset) return
  const what =
    startedAt < startOffset
      ? `records ${startedAt} to ${startOffset - 1n} are gone from the topic (retention)`
      : `the topic ends at ${endOffset}, before our position ${startedAt}: it was deleted and made anew, or cut`
  throw new EngineError(
    'E_OFFSET_GAP',
    'stop-table',
    `${what}; nothing is skipped silently: check the tables against the source, then read the topic under another pipeline name`,
    { topic, partition, offset: startedAt },
  )
}
