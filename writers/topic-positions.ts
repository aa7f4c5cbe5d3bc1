import type { PartitionPosition } from '../core/ports.ts'
import type { ChangeEvent, RecordRef } from '../schemas/change-event.ts'
import type { TableContract } from '../schemas/contract.ts'
import type { TableSnapshot } from './delta/snapshot.ts'
import { fencedError } from './fenced-error.ts'
import { partitionName } from './partition-name.ts'
import { progressAppIds, progressPrefix } from './table-progress.ts'

/** A table, and the pipeline that feeds it. */
export interface FedTable {
  readonly pipeline: string
  readonly contract: TableContract
  /** From the root of the lake. */
  readonly path: string
  /**
   * `true`: events of a partition come in order, so an old position of an unknown key is a re-send, and commits carry
   * how far they read. `false`: events come from anywhere and are told apart by key alone (dead letters).
   */
  readonly isOrdered: boolean
}

/** How the events of a table come, as far as we know. */
export interface Roads {
  /** By several partitions. */
  readonly isSpread: boolean
  /** Those of one key can come by two topics. */
  readonly hasTwoRoads: boolean
}

/**
 * How far a table has read the partitions that feed it, and what follows from there being several of them. Its log
 * tells it at the start; from then on it is ours alone, and whoever else moves it fences us.
 */
export class TopicPositions {
  readonly #fed: FedTable
  /** `topic/partition` → the next offset to read. */
  readonly #next: Map<string, bigint>

  constructor(fed: FedTable, next: ReadonlyMap<string, bigint> = new Map()) {
    this.#fed = fed
    this.#next = new Map(next)
  }

  /** The next offset of a partition that is not in the table yet; `null`: the table knows nothing of the partition. */
  nextOffset(topic: string, partition: number): bigint | null {
    return this.#next.get(partitionName(topic, partition)) ?? null
  }

  /** Whether the table has taken this record in already. */
  hasPassed(at: RecordRef): boolean {
    const next = this.nextOffset(at.topic, at.partition)
    return next !== null && at.offset < next
  }

  pass(positions: readonly PartitionPosition[]): void {
    for (const each of this.forward(positions)) {
      this.#next.set(partitionName(each.topic, each.partition), each.nextOffset)
    }
  }

  /** A partition is read from the passed mark on, below what the table has of it: that moves nothing back. */
  forward(positions: readonly PartitionPosition[]): PartitionPosition[] {
    return positions.filter((p) => p.nextOffset > (this.nextOffset(p.topic, p.partition) ?? -1n))
  }

  /**
   * Positions that the table's log does not tell yet: also such as were passed by a batch that left nothing to commit
   * (events that were stale, a truncate of a table that was not there).
   */
  untold(snapshot: TableSnapshot | null, positions: readonly PartitionPosition[]): PartitionPosition[] {
    const prefix = progressPrefix(this.#fed.pipeline)
    return positions.filter(({ topic, partition, nextOffset }) => {
      const told = snapshot?.txns.get(prefix + partitionName(topic, partition))?.version ?? -1n
      return nextOffset > told
    })
  }

  roads(events: readonly ChangeEvent[], positions: readonly PartitionPosition[]): Roads {
    return { isSpread: this.#isSpread(events, positions), hasTwoRoads: this.#hasTwoRoads(positions) }
  }

  /** Whether one key's events can come by two topics: between them there is no order. */
  #hasTwoRoads(positions: readonly PartitionPosition[]): boolean {
    const { contract, isOrdered } = this.#fed
    if (!isOrdered || contract.mode !== 'upsert') return false
    const globs = contract.topics ?? []
    if (globs.length > 1 || globs.some((glob) => /[*?]/.test(glob))) return true
    const known = [...this.#next.keys()].map((name) => name.slice(0, name.lastIndexOf('/')))
    return new Set([...known, ...positions.map(({ topic }) => topic)]).size > 1
  }

  /**
   * Whether several partitions feed the table. As far as we know: one partition, of which only the first is known, is
   * the only one.
   */
  #isSpread(events: readonly ChangeEvent[], positions: readonly PartitionPosition[]): boolean {
    const { topic, partition } = events[0]!.at
    const names = new Set([...this.#next.keys(), partitionName(topic, partition)])
    for (const each of positions) names.add(partitionName(each.topic, each.partition))
    return names.size > 1 || events.some(({ at }) => at.partition > 0 || at.topic !== topic)
  }

  /**
   * Positions that nobody else may move while a commit of ours is on its way. Partitions of a table that is not spread
   * go together: who moves one of them has all of them, also those of which this commit has nothing.
   */
  ownAppIds(positions: readonly PartitionPosition[]): Set<string> {
    const { pipeline, contract, isOrdered } = this.#fed
    if (!isOrdered) return new Set()
    const own = progressAppIds(pipeline, positions)
    if (contract.spread !== undefined) return own
    for (const name of this.#next.keys()) own.add(progressPrefix(pipeline) + name)
    return own
  }

  /**
   * Whoever moved a position of ours beyond us has applied what we hold. A race that we lose to it shows it too, but
   * not when another commit than a flush lost it (a merge), or when we were not given the partition yet.
   *
   * @throws EngineError `E_FENCED` (stop-table)
   */
  refuseMoved(snapshot: TableSnapshot | null, positions: readonly PartitionPosition[]): void {
    if (snapshot === null) return
    const prefix = progressPrefix(this.#fed.pipeline)
    const isMoved = [...this.ownAppIds(positions)].some((appId) => {
      const moved = snapshot.txns.get(appId)
      return moved !== undefined && moved.version > (this.#next.get(appId.slice(prefix.length)) ?? -1n)
    })
    if (isMoved) throw fencedError(this.#fed.path, snapshot.version)
  }
}
