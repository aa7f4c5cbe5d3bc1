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
  /** Per partition that was sent again once: see `seenAgain`. */
  readonly #seenAgain: Map<string, number>

  constructor(
    marks: Iterable<readonly [string, PartitionMark]> = [],
    seenAgain: Iterable<readonly [string, number]> = [],
  ) {
    this.#marks = new Map(marks)
    this.#seenAgain = new Map(seenAgain)
  }

  /** A copy that can be moved on without this one moving. */
  copy(): PartitionMarks {
    return new PartitionMarks(this.#marks, this.#seenAgain)
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

  /**
   * How many events at the mark were seen again since the stream fell back below it; -1 when the mark has moved on
   * since. `null`: it never fell back, as far as anybody asked `isResend`.
   */
  seenAgain(at: PartitionRef): number | null {
    return this.#seenAgain.get(keyOf(at)) ?? null
  }

  /** Whether these have come as far as those, from which they were copied. */
  isAt(those: PartitionMarks): boolean {
    for (const [key, mark] of this.#marks) if (those.#marks.get(key) !== mark) return false
    for (const [key, count] of this.#seenAgain) if (those.#seenAgain.get(key) !== count) return false
    return true
  }

  isBelow(at: PartitionRef, position: Position): boolean {
    const mark = this.get(at)
    return mark !== undefined && comparePositions(position, mark.position) < 0
  }

  advance(at: PartitionRef, position: Position): void {
    const key = keyOf(at)
    const mark = this.#marks.get(key)
    const order = mark === undefined ? 1 : comparePositions(position, mark.position)
    if (order < 0) return
    this.#marks.set(key, { position, count: order > 0 ? 1 : mark!.count + 1 })
    const seen = this.#seenAgain.get(key)
    if (seen !== undefined && seen >= 0) this.#seenAgain.set(key, order > 0 ? -1 : seen + 1)
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
    const seen = this.#seenAgain.get(key) ?? -1
    if (seen < 0 || seen >= mark.count) return false
    this.#seenAgain.set(key, seen + 1)
    return true
  }
}

/** Of events that come from anywhere: their order says nothing of what was sent before. */
export class UnorderedMarks extends PartitionMarks {
  override isBelow(): boolean {
    return false
  }

  override isResend(): boolean {
    return false
  }
}

/** Kafka's topic names hold no slash. */
function keyOf(at: PartitionRef): string {
  return `${at.topic}/${at.partition}`
}
