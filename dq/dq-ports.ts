import type { ChangeSource, Clock, ObjectStore, SourceDatabase } from '../core/ports.ts'
import type { Digest } from './row-digests.ts'
import type { StreamBarrier } from './stream-barrier.ts'

/** What all checks of all tables share. */
export interface DqPorts {
  readonly store: ObjectStore
  readonly database: SourceDatabase
  readonly clock: Clock
  readonly barrier: StreamBarrier
  /** The topics of the pipeline; `null`: they cannot be asked. */
  readonly topics: ChangeSource | null
  /** The pipeline whose positions the tables hold. */
  readonly pipeline: string
}

/** How far a check may go. */
export interface DqLimits {
  readonly digest: Digest
  /** How long the lake may take to hold what the source had at a moment. */
  readonly waitMs: number
  /** Looks at rows that differ or move, the first included; at least 2. */
  readonly looksMax: number
  /** Rows whose hashes are held at once, of each side. */
  readonly rowsHeldMax: number
  /** Mismatches that are told with key and columns; more are only counted. */
  readonly mismatchesMax: number
  /** Rows a second that are read of the source; `null`: as fast as it goes. */
  readonly rowsPerSecond: number | null
  /** Age of the oldest change that the lake may not hold yet. */
  readonly lagMaxMs: number
}

export const DEFAULT_LIMITS: DqLimits = {
  digest: 'md5',
  waitMs: 90_000,
  looksMax: 5,
  rowsHeldMax: 200_000,
  mismatchesMax: 1_000,
  rowsPerSecond: null,
  lagMaxMs: 60_000,
}
