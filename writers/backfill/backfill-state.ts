import { EngineError } from '../../core/errors.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'

/**
 * What a table knows of its backfill: property `alluvium.backfill`, public format.
 *
 * `loading`: some of its rows are missing, and nobody but the backfill may write. `done`: it held what `snapshot` sees when
 * the stream began, and what the stream tells of that is old (`SeenByBackfill`).
 */
export interface BackfillState {
  /** A UUID; a backfill that begins anew is another one. */
  readonly run: string
  readonly state: 'loading' | 'done'
  /** `pg_current_snapshot()` of the first rows that were read. */
  readonly snapshot: string
  /** All that the snapshot sees stands in the source's log below it. */
  readonly lsn: bigint
  /** What is read, in this order, when it is `loading`. */
  readonly parts: readonly LoadPart[]
  /** Blocks of a part that are one chunk. */
  readonly chunkBlocks: number
  /** SQL that a row of the source had to fulfil to be read; `null`: all rows were. */
  readonly where: string | null
}

/** A table of the source that holds rows: the table itself, or a leaf of a partitioned one. */
export interface LoadPart {
  readonly schema: string
  readonly table: string
  /** Of the source's storage; another one after TRUNCATE, CLUSTER or VACUUM FULL. */
  readonly storage: string
  readonly blocks: number
}

const PROPERTY = 'alluvium.backfill'

/** @returns `null`: the table was not made by a backfill */
export function readBackfillState(configuration: Readonly<Record<string, string>>): BackfillState | null {
  const text = configuration[PROPERTY]
  if (text === undefined) return null
  const { lsn, parts = [], chunkBlocks = 0, where = null, ...rest } = JSON.parse(text) as WrittenState
  return { ...rest, parts, chunkBlocks, where, lsn: BigInt(lsn) }
}

type WrittenState = Omit<BackfillState, 'lsn' | 'parts' | 'chunkBlocks' | 'where'> & {
  readonly lsn: string
  readonly where?: string
  readonly parts?: readonly LoadPart[]
  readonly chunkBlocks?: number
}

/** `configuration` with the state as it is now. */
export function withBackfillState(
  configuration: Readonly<Record<string, string>>,
  { run, state, snapshot, lsn, parts, chunkBlocks, where }: BackfillState,
): Record<string, string> {
  const plan = state === 'loading' ? { parts, chunkBlocks } : {}
  const part = where === null ? {} : { where }
  const written: WrittenState = { run, state, snapshot, lsn: String(lsn), ...part, ...plan }
  return { ...configuration, [PROPERTY]: JSON.stringify(written) }
}

/**
 * The transaction that counts the chunks of a backfill that are in the table. Not below `alluvium/`, where pipelines
 * have theirs.
 */
export function backfillAppId(run: string): string {
  return `alluvium.backfill/${run}`
}

/**
 * Whoever writes a table that lacks rows would give keys to it that the backfill then adds once more.
 *
 * @throws EngineError `E_BACKFILL_UNFINISHED` (stop-table)
 */
export function refuseUnfinished({ metadata, version }: TableSnapshot, table: string): void {
  if (readBackfillState(metadata.configuration)?.state === 'loading') throw unfinished(table, version)
}

/**
 * Whoever was about to make the table gives way to a backfill that has begun to make it.
 *
 * @throws EngineError `E_BACKFILL_UNFINISHED` (stop-table)
 */
export function refuseBackfilled({ metadata, version }: TableSnapshot, table: string): void {
  if (readBackfillState(metadata.configuration) !== null) throw unfinished(table, version)
}

function unfinished(table: string, version: number): EngineError {
  return new EngineError(
    'E_BACKFILL_UNFINISHED',
    'stop-table',
    'a backfill of the table was begun: let it end, or go on with it by `alluvium backfill --resume`; then ' +
      '`alluvium table resume` lets the table go on from its topic',
    { table, version },
  )
}
