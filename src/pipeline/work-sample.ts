import { happenedMs } from '../../schemas/event-time.ts'
import type { TableGrowth } from '../../writers/table/table-growth.ts'
import { addTally, emptyTally, type Tally } from '../../writers/tally.ts'
import type { TableOwner } from './table-owner.ts'
import { type StopReason, stopReason } from './table-report.ts'

/** How the work stands at one moment. Plain values; made only when somebody asks. */
export interface WorkSample {
  readonly records: number
  readonly tally: Tally
  readonly tables: readonly TableSample[]
  readonly partitions: readonly PartitionSample[]
  /** Bytes of raw records that are not durable. */
  readonly heldBytes: number
  /** Epoch milliseconds of the newest heartbeat of the source; `null`: none was read. */
  readonly heartbeatMs: number | null
}

export interface TableSample {
  readonly name: string
  readonly state: TableStateName
  readonly stopped: StopReason | null
  readonly version: number | null
  /** `null`: there is no table yet, or nothing of it was read in this run. */
  readonly growth: TableGrowth | null
  /** Bytes of log entries since the last checkpoint. */
  readonly logBytes: number
  /** Events that are not durable. */
  readonly pendingEvents: number
  /** Epoch milliseconds when the oldest of them happened at the source; `null`: there is none. */
  readonly pendingSinceMs: number | null
  /** Epoch milliseconds when the newest event that is durable happened at the source; `null`: none is of this run. */
  readonly durableMs: number | null
  /** Records that wait in their topic because the table does not take them. */
  readonly parked: number
  /** Dead letters of this run, by reason. */
  readonly letters: ReadonlyMap<string, number>
}

export type TableStateName = 'streaming' | 'paused' | 'catching-up' | 'stopped'

export interface PartitionSample {
  readonly topic: string
  readonly partition: number
  /** The next offset to look at. */
  readonly nextOffset: bigint
}

/** Looks at tables, and at the files of a table only when its version is another than the last time. */
export class TableSampler {
  readonly #known = new WeakMap<
    TableOwner,
    { readonly version: number | null; readonly growth: TableGrowth | null }
  >()

  sample(owner: TableOwner): TableSample {
    const { contract, writer, standing, letters, parked } = owner
    const oldest = owner.oldestPending
    return {
      name: contract.name,
      state: stateOf(owner),
      stopped: stopReason(owner),
      version: writer?.version ?? standing?.version ?? null,
      growth: this.#growth(owner),
      logBytes: writer?.logBytes ?? 0,
      pendingEvents: owner.pendingEvents,
      pendingSinceMs: oldest === null ? null : happenedMs(oldest),
      durableMs: owner.durableMs,
      ...{ parked, letters },
    }
  }

  #growth(owner: TableOwner): TableGrowth | null {
    if (owner.writer === null) return null
    const { version } = owner.writer
    const known = this.#known.get(owner)
    if (known?.version === version) return known.growth
    const growth = owner.writer.growth()
    this.#known.set(owner, { version, growth })
    return growth
  }
}

function stateOf({ stopped, isHeld, isUndecided, catchUp }: TableOwner): TableStateName {
  // It goes on by itself where the other writer left it, here or in the process that has it by now.
  if (isUndecided) return 'catching-up'
  if (stopped !== null) return stopped.code === 'E_PAUSED' ? 'paused' : 'stopped'
  if (isHeld) return 'paused'
  return catchUp === null ? 'streaming' : 'catching-up'
}

/** What several threads say: a table of one may also have been named by a topic of another. */
export function joinSamples(samples: readonly WorkSample[]): WorkSample {
  const tally = emptyTally()
  for (const sample of samples) addTally(tally, sample.tally)
  const sum = (of: (sample: WorkSample) => number) => samples.reduce((total, each) => total + of(each), 0)
  const tables = new Map<string, TableSample>()
  for (const table of samples.flatMap((sample) => sample.tables)) {
    if (tables.get(table.name)?.growth == null) tables.set(table.name, table)
  }
  const heartbeats = samples.flatMap(({ heartbeatMs }) => heartbeatMs ?? [])
  return {
    records: sum(({ records }) => records),
    tally,
    tables: [...tables.values()],
    partitions: samples.flatMap(({ partitions }) => partitions),
    heldBytes: sum(({ heldBytes }) => heldBytes),
    heartbeatMs: heartbeats.length === 0 ? null : Math.max(...heartbeats),
  }
}
