import { comparePositions, type Position } from '../schemas/position.ts'

/** How far one table has applied the events of one topic partition. */
export interface PartitionMark {
  readonly position: Position
  /** Events applied at exactly this position: rows of one COPY share it. */
  readonly count: number
}

interface PartitionRef {
  readonly topic: string
  readonly partition: number
}

/** The highest position applied per topic partition (design §3.1 "Partition mark"). */
export class PartitionMarks {
  readonly #marks: Map<string, PartitionMark>
  /** Per partition: events at the mark seen again since the position last fell below it. */
  readonly #seenAgain = new Map<string, number>()

  constructor(marks: Iterable<readonly [string, PartitionMark]> = []) {
    this.#marks = new Map(marks)
  }

  /** A copy that can be moved on without this one moving. */
  copy(): PartitionMarks {
    const copy = new PartitionMarks(this.#marks)
    for (const [key, count] of this.#seenAgain) copy.#seenAgain.set(key, count)
    return copy
  }

  get(at: PartitionRef): PartitionMark | undefined {
    return this.#marks.get(keyOf(at))
  }

  /** The highest of all partitions; `null`: nothing was applied yet. */
  highest(): Position | null {
    let highest: Position | null = null
    for (const { position } of this.#marks.values()) {
      if (highest === null || comparePositions(position, highest) > 0) highest = position
    }
    return highest
  }

  isBelow(at: PartitionRef, position: Position): boolean {
    const mark = this.get(at)
    return mark !== undefined && comparePositions(position, mark.position) < 0
  }

  advance(at: PartitionRef, position: Position): void {
    const mark = this.get(at)
    const order = mark === undefined ? 1 : comparePositions(position, mark.position)
    if (order > 0) {
      this.#marks.set(keyOf(at), { position, count: 1 })
      this.#seenAgain.delete(keyOf(at))
    } else if (order === 0) {
      this.#marks.set(keyOf(at), { position, count: mark!.count + 1 })
    }
  }

  /**
   * Whether an event that has no key to be known by is being sent again. Below the mark it is; at the mark only after
   * the stream fell back below it, and only as many times as events were applied there.
   */
  isResend(at: PartitionRef, position: Position): boolean {
    const mark = this.get(at)
    if (mark === undefined) return false
    const order = comparePositions(position, mark.position)
    if (order > 0) return false
    const key = keyOf(at)
    if (order < 0) {
      this.#seenAgain.set(key, 0)
      return true
    }
    const seen = this.#seenAgain.get(key)
    if (seen === undefined || seen >= mark.count) return false
    this.#seenAgain.set(key, seen + 1)
    return true
  }
}

/** Kafka's topic names hold no slash. */
function keyOf(at: PartitionRef): string {
  return `${at.topic}/${at.partition}`
}
