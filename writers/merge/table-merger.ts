import type { Action } from '../delta/actions.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { numRecordsOf } from '../delta/statistics.ts'
import { Pace } from '../pace.ts'
import type { PreparedCommit } from '../table-log.ts'
import type { TableMode } from '../table-mode.ts'
import { type MergeCandidate, type MergeGoal, planMerge } from './merge-plan.ts'
import { prepareMerge } from './prepare-merge.ts'
import { type MergeWorld, type StagedMerge, stageMerge } from './stage-merge.ts'

/** What one merge did. */
export interface MergeReport {
  /** The table's version with it. */
  readonly version: number
  readonly filesRemoved: number
  readonly bytesRead: number
  readonly bytesWritten: number
  /** Live rows that were written anew. */
  readonly rows: number
}

/** The table as its owner has it. */
export interface MergedTable {
  readonly snapshot: TableSnapshot | null
  /**
   * Commits in a turn of its own: no batch is planned on an older version than the one it then stands at.
   *
   * @param onCommitted runs in the same turn
   * @returns whether it was committed
   */
  commit(
    prepare: (snapshot: TableSnapshot | null) => Promise<PreparedCommit | null>,
    onCommitted: () => void,
  ): Promise<boolean>
  /** `null`: nothing is looked up in this table. */
  readonly mode: TableMode | null
}

/**
 * Merges files of one table beside the stream (design §3.5). It reads and writes while batches are committed, and takes
 * a turn only for its own small commit; what was deleted meanwhile is carried over.
 */
export class TableMerger {
  readonly #world: MergeWorld
  /** Bytes of deletion vectors written for each live file, as far as this process has seen. */
  #vectorBytes = new Map<string, number>()

  constructor(world: MergeWorld) {
    this.#world = world
  }

  /** Notes what a commit spent on deletion vectors. */
  note(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind !== 'add' || action.deletionVector === undefined) continue
      const before = this.#vectorBytes.get(action.path) ?? 0
      this.#vectorBytes.set(action.path, before + action.deletionVector.sizeInBytes)
    }
  }

  /**
   * Does the merge that is due, if any.
   *
   * @returns `null`: nothing is due, or the merge was given up, because its files are no longer what they were
   * @throws what the store throws; the reason of the signal when it is told to end
   */
  async merge(table: MergedTable, goal: MergeGoal, signal: AbortSignal): Promise<MergeReport | null> {
    const { snapshot } = table
    const paths = snapshot === null ? null : planMerge(this.#candidates(snapshot), goal)
    if (snapshot === null || paths === null) return null
    const files = paths.map((path) => snapshot.files.get(path)!)
    const pace = new Pace(this.#world.clock, signal)
    const staged = await stageMerge(files, snapshot, this.#world, pace)
    const isCommitted = await table.commit(
      async (at) => (signal.aborted ? null : prepareMerge(staged, at!, this.#world)),
      () => redirect(staged, table.mode),
    )
    return isCommitted ? reportOf(staged, table.snapshot!.version) : null
  }

  *#candidates(snapshot: TableSnapshot): Generator<MergeCandidate> {
    const { partitionColumns } = snapshot.metadata
    const vectorBytes = new Map<string, number>()
    for (const file of snapshot.files.values()) {
      const rows = numRecordsOf(file.stats)
      // A file of somebody else that does not say what it holds stays as it is.
      if (rows === undefined || file.baseRowId !== undefined) continue
      const { path, size: sizeBytes, deletionVector } = file
      const vectorBytesWritten = this.#vectorBytes.get(path) ?? deletionVector?.sizeInBytes ?? 0
      if (vectorBytesWritten > 0) vectorBytes.set(path, vectorBytesWritten)
      const partition = JSON.stringify(partitionColumns.map((name) => file.partitionValues[name] ?? null))
      const deletedRows = deletionVector?.cardinality ?? 0
      yield { path, partition, sizeBytes, rows, deletedRows, vectorBytesWritten }
    }
    this.#vectorBytes = vectorBytes
  }
}

function reportOf({ sources, added, rowCount }: StagedMerge, version: number): MergeReport {
  return {
    version,
    filesRemoved: sources.length,
    bytesRead: sources.reduce((sum, { file }) => sum + file.size, 0),
    bytesWritten: added?.size ?? 0,
    rows: rowCount,
  }
}

/** From here on the locator tells the new places; its entries follow when that pays (`TableMode.keep`). */
function redirect({ sources, added }: StagedMerge, mode: TableMode | null): void {
  if (mode === null || added === null) return
  const { files } = mode
  const to = files.ordinalOf(added.path)
  for (const { file, rows } of sources) files.redirect(files.ordinalOf(file.path), to, rows)
}
