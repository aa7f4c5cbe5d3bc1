import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import type { Action } from './actions.ts'
import { readCheckpoint } from './checkpoint-read.ts'
import { parseLastCheckpoint } from './last-checkpoint.ts'
import { readCommit } from './log-entry.ts'
import { type LogListing, missingCommits, readListing } from './log-listing.ts'
import { beforeVersion, commitPath, lastCheckpointPath, logPrefix } from './log-path.ts'
import { type LogState, readable, replayLog, type TableSnapshot } from './snapshot.ts'

/** Entries asked for at once: hides the round trips of an object store, and bounds what is held. */
const READ_AHEAD = 16

/** One entry of the log. */
export interface CommitEntry {
  readonly version: number
  readonly actions: readonly Action[]
}

/**
 * Reads the state of a table: the newest checkpoint that can be read, and the entries after it.
 *
 * @param tablePath from the root of the store
 * @param options.version an older version; the newest when not given
 * @returns `null` when there is no table at the path
 * @throws EngineError `E_LOG_GAP`, `E_LOG_ENTRY`, `E_TABLE_FEATURE`, `E_SCHEMA_STRING` (stop-table),
 * `E_NO_SUCH_VERSION` (usage), and what the store throws
 * @see delta-protocol §4.3, §4.4: `_last_checkpoint` is a hint; incomplete sets do not count
 */
export async function loadSnapshot(
  store: ObjectStore,
  tablePath: string,
  options: { readonly version?: number } = {},
): Promise<TableSnapshot | null> {
  return (await loadLog(store, tablePath, options))?.snapshot ?? null
}

/** The state of a table, and what was listed of its log for it. */
export interface LoadedLog {
  readonly snapshot: TableSnapshot
  readonly listing: LogListing
  /** Where a reader begins: the checkpoint that the pointer names; -1 when it names none that can be read. */
  readonly pointer: number
}

/** As `loadSnapshot`, with what it saw of the log. */
export async function loadLog(
  store: ObjectStore,
  tablePath: string,
  options: { readonly version?: number } = {},
): Promise<LoadedLog | null> {
  const load = () => loadState(store, tablePath, options.version)
  const loaded = await load().catch((error: unknown) => {
    // The log was cleaned while it was read, or the listing lagged behind: what is really missing is so a second time.
    if (error instanceof EngineError && error.code === 'E_LOG_GAP') return load()
    throw error
  })
  if (loaded === null) return null
  const { state, ...seen } = loaded
  return { snapshot: readable(state), ...seen }
}

async function loadState(
  store: ObjectStore,
  tablePath: string,
  wanted?: number,
): Promise<(Omit<LoadedLog, 'snapshot'> & { readonly state: LogState }) | null> {
  const pointer = await store.get('log.last-checkpoint.get', lastCheckpointPath(tablePath))
  const hint = pointer === null ? undefined : parseLastCheckpoint(pointer)
  if (hint !== undefined && (wanted === undefined || hint <= wanted)) {
    const listing = await list(store, tablePath, hint)
    const state = await fromCheckpoint(store, tablePath, listing, targetOf(listing, wanted))
    if (state !== null) return { state, listing, pointer: hint }
  }
  const listing = await list(store, tablePath, 0)
  if (listing.newestVersion < 0) return null
  const target = targetOf(listing, wanted)
  const state =
    (await fromCheckpoint(store, tablePath, listing, target)) ??
    (await replayEntries(store, tablePath, null, listing, target))
  return { state, listing, pointer: -1 }
}

async function list(store: ObjectStore, tablePath: string, from: number): Promise<LogListing> {
  const after = from === 0 ? undefined : beforeVersion(tablePath, from)
  return readListing(await store.list('log.list', logPrefix(tablePath), after))
}

function targetOf(listing: LogListing, wanted: number | undefined): number {
  if (wanted === undefined || listing.newestVersion < 0) return listing.newestVersion
  if (wanted <= listing.newestVersion) return wanted
  throw new EngineError(
    'E_NO_SUCH_VERSION',
    'usage',
    `the table has no version ${wanted} yet; its newest is ${listing.newestVersion}`,
  )
}

/** @returns `null` when no checkpoint of the listing leads to the target: it is damaged, or entries behind it are missing */
async function fromCheckpoint(
  store: ObjectStore,
  tablePath: string,
  listing: LogListing,
  target: number,
): Promise<LogState | null> {
  for (const checkpoint of listing.checkpoints) {
    if (checkpoint.version > target) continue
    if (missingCommits(listing, checkpoint.version + 1, target).length > 0) return null
    const actions = await readCheckpoint(store, tablePath, checkpoint)
    if (actions === null) continue
    const state = replayLog(null, checkpoint.version, actions)
    if (checkpoint.version < target) return replayEntries(store, tablePath, state, listing, target)
    return listing.commits.has(target) ? withCommitInfo(store, tablePath, state) : state
  }
  return null
}

/** A checkpoint does not say which commit made its version; the entry does, while it is still there. */
async function withCommitInfo(store: ObjectStore, tablePath: string, state: LogState): Promise<LogState> {
  const [entry] = await loadCommits(store, tablePath, state.version, state.version)
  const info = entry?.actions.find((action) => action.kind === 'commitInfo')
  return { ...state, timestampMs: info?.timestamp ?? 0, commitId: info?.txnId }
}

async function replayEntries(
  store: ObjectStore,
  tablePath: string,
  from: LogState | null,
  listing: LogListing,
  target: number,
): Promise<LogState> {
  let state = from
  const first = from === null ? 0 : from.version + 1
  const missing = missingCommits(listing, first, target)
  if (missing.length > 0) throw gap(tablePath, missing[0]!, target)
  for (let version = first; version <= target; version += READ_AHEAD) {
    const to = Math.min(version + READ_AHEAD - 1, target)
    const entries = await loadCommits(store, tablePath, version, to)
    if (entries.length < to - version + 1) throw gap(tablePath, version + entries.length, target)
    for (const entry of entries) state = replayLog(state, entry.version, entry.actions)
  }
  if (state === null) throw gap(tablePath, first, target)
  return state
}

/**
 * The entries from `from` on, without a gap: up to `to`, or to the newest when it is not given. Ends early where an
 * entry is not there.
 *
 * @throws EngineError `E_LOG_ENTRY` (stop-table), and what the store throws
 */
export async function loadCommits(
  store: ObjectStore,
  tablePath: string,
  from: number,
  to: number = Number.MAX_SAFE_INTEGER,
): Promise<CommitEntry[]> {
  const entries: CommitEntry[] = []
  // Without an end most calls find nothing or one entry: the first step asks for one, later ones for more.
  let width = to === Number.MAX_SAFE_INTEGER ? 1 : READ_AHEAD
  for (let version = from; version <= to; ) {
    const versions = Array.from({ length: Math.min(width, to - version + 1) }, (_, at) => version + at)
    const found = await Promise.all(
      versions.map((wanted) => store.get('log.get', commitPath(tablePath, wanted))),
    )
    for (const [at, bytes] of found.entries()) {
      if (bytes === null) return entries
      entries.push({ version: version + at, actions: readCommit(bytes, version + at) })
    }
    version += versions.length
    width = Math.min(width * 2, READ_AHEAD)
  }
  return entries
}

function gap(table: string, missing: number, target: number): EngineError {
  return new EngineError(
    'E_LOG_GAP',
    'stop-table',
    `log entry ${missing} is missing, and no checkpoint leads from it to version ${target}: somebody deleted part of ` +
      '_delta_log. Restore it from a backup or from object versions; without it rows would be lost or come back',
    { table, version: missing },
  )
}
