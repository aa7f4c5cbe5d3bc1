import type { ChangeEvent } from '../schemas/change-event.ts'
import { comparePositions, type Position } from '../schemas/position.ts'
import { partitionName } from './partition-name.ts'

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

/** What tells of an event without a key whether it was sent before. */
interface ResentOrNew extends Pick<ChangeEvent, 'op' | 'run'> {
  readonly at: PartitionRef
}

/** The highest position applied per topic partition (design §3.1 "Partition mark"). */
export class PartitionMarks {
  readonly #marks: Map<string, PartitionMark>
  /** Per partition that was sent again once: see `seenAgain`. */
  readonly #seenAgain: Map<string, number>
  /** Per partition that had any: see `noteTwin`. */
  readonly #twins: Map<string, number>
  /** Per partition whose connector tells it: the run that sent the last event that `isResend` was asked of. */
  readonly #runs: Map<string, bigint>

  constructor(
    marks: Iterable<readonly [string, PartitionMark]> = [],
    seenAgain: Iterable<readonly [string, number]> = [],
    twins: Iterable<readonly [string, number]> = [],
    runs: Iterable<readonly [string, bigint]> = [],
  ) {
    this.#marks = new Map(marks)
    this.#seenAgain = new Map(seenAgain)
    this.#twins = new Map(twins)
    this.#runs = new Map(runs)
  }

  /** A copy that can be moved on without this one moving. */
  copy(): PartitionMarks {
    return new PartitionMarks(this.#marks, this.#seenAgain, this.#twins, this.#runs)
  }

  get(at: PartitionRef): PartitionMark | undefined {
    return this.#marks.get(nameOf(at))
  }

  /** The highest of all partitions; `null`: nothing was applied yet. */
  highest(): Position | null {
    let highest: Position | null = null
    for (const { position } of this.#marks.values()) {
      if (highest === null || comparePositions(position, highest) > 0) highest = position
    }
    return highest
  }

  /** What all of these partitions have come to: the lowest of theirs; `null`: one of them has applied nothing yet. */
  reachedByAll(partitions: readonly PartitionRef[]): Position | null {
    let lowest: Position | null = null
    for (const partition of partitions) {
      const mark = this.get(partition)
      if (mark === undefined) return null
      if (lowest === null || comparePositions(mark.position, lowest) < 0) lowest = mark.position
    }
    return lowest
  }

  /**
   * How many events at the mark were seen again since the stream fell back below it; -1 when the mark has moved on
   * since. `null`: it never fell back, as far as anybody asked `isResend`.
   */
  seenAgain(at: PartitionRef): number | null {
    return this.#seenAgain.get(nameOf(at)) ?? null
  }

  /** The run of the connector that sent what came last; `null`: nobody told. */
  run(at: PartitionRef): bigint | null {
    return this.#runs.get(nameOf(at)) ?? null
  }

  /** Whether these have come as far as those, from which they were copied. */
  isAt(those: PartitionMarks): boolean {
    for (const [key, mark] of this.#marks) if (those.#marks.get(key) !== mark) return false
    for (const [key, count] of this.#seenAgain) if (those.#seenAgain.get(key) !== count) return false
    return true
  }

  /** Rows of the transaction at the mark that have moved in over a twin; `null`: there never were any. */
  twins(at: PartitionRef): number | null {
    return this.#twins.get(nameOf(at)) ?? null
  }

  /**
   * Notes that a row has moved in under the key of another that is its twin, the same in every column, and that leaves
   * before the transaction ends (a key swap): of its delete no image tells which of the two is meant.
   */
  noteTwin(at: PartitionRef): void {
    this.#twins.set(nameOf(at), (this.twins(at) ?? 0) + 1)
  }

  /** @returns whether a twin was left that a delete can be about; it is gone then */
  takeTwin(at: PartitionRef): boolean {
    const twins = this.twins(at) ?? 0
    if (twins > 0) this.#twins.set(nameOf(at), twins - 1)
    return twins > 0
  }

  /** Whether the partition has come to this position, or beyond. */
  hasReached(at: PartitionRef, position: Position): boolean {
    const mark = this.get(at)
    return mark !== undefined && comparePositions(position, mark.position) <= 0
  }

  isBelow(at: PartitionRef, position: Position): boolean {
    const mark = this.get(at)
    return mark !== undefined && comparePositions(position, mark.position) < 0
  }

  advance(at: PartitionRef, position: Position): void {
    const key = nameOf(at)
    const mark = this.#marks.get(key)
    const order = mark === undefined ? 1 : comparePositions(position, mark.position)
    if (order < 0) return
    this.#marks.set(key, { position, count: order > 0 ? 1 : mark!.count + 1 })
    if (this.#twins.has(key) && position.seq !== mark?.position.seq && position.seq !== position.lsn) {
      this.#twins.set(key, 0)
    }
    const seen = this.#seenAgain.get(key)
    if (seen !== undefined && seen >= 0) this.#seenAgain.set(key, order > 0 ? -1 : seen + 1)
  }

  /**
   * Whether an event that has no key to be known by is being sent again. Below the mark it is; at the mark only as many
   * times as events were applied there, after the stream fell back. It did when it was below the mark, when at the mark
   * there comes what cannot go on there (inserts can share a position, as those of a COPY or the second half of a key
   * change do; nothing else does), and when another run of the connector tells of the mark: none begins in the middle of
   * a position. An insert at the mark of which none of that is true is a new one.
   */
  isResend({ at, op, run }: ResentOrNew, position: Position): boolean {
    const key = nameOf(at)
    const isOtherRun = this.#noteRun(key, run)
    const mark = this.#marks.get(key)
    if (mark === undefined) return false
    const order = comparePositions(position, mark.position)
    if (order > 0) return false
    if (order < 0) {
      this.#seenAgain.set(key, 0)
      return true
    }
    if (op !== 'c') {
      this.#seenAgain.set(key, 1) // it is the first of its position
      return true
    }
    const seen = isOtherRun ? 0 : (this.#seenAgain.get(key) ?? -1)
    if (seen < 0 || seen >= mark.count) return false
    this.#seenAgain.set(key, seen + 1)
    return true
  }

  /** @returns whether another run than this one sent what came before */
  #noteRun(key: string, run: bigint | undefined): boolean {
    if (run === undefined) return false
    const known = this.#runs.get(key)
    if (known !== run) this.#runs.set(key, run)
    return known !== undefined && known !== run
  }
}

/** Of events that come from anywhere: their order says nothing of what was sent before. */
export class UnorderedMarks extends PartitionMarks {
  override isBelow(): boolean {
    return false
  }

  override hasReached(): boolean {
    return false
  }

  override isResend(): boolean {
    return false
  }
}

function nameOf({ topic, partition }: PartitionRef): string {
  return partitionName(topic, partition)
}
