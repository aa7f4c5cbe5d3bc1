import { EngineError } from '../../core/errors.ts'
import type { StructType } from '../../schemas/delta-types.ts'
import type {
  Action,
  AddFile,
  DomainMetadata,
  Metadata,
  Protocol,
  RemoveFile,
  SetTransaction,
} from './actions.ts'
import { dvUniqueId } from './dv-descriptor.ts'
import { LayeredMap } from './layered-map.ts'
import { assertReadable } from './protocol.ts'
import { parseSchemaString } from './schema-string.ts'
import { deletedFileRetentionMs } from './table-properties.ts'

/** What the log says at one version. Immutable: an older state stays valid when a newer one is made from it. */
export interface LogState {
  readonly version: number
  /** `commitInfo.timestamp` of the version, milliseconds; 0 when its entry has none or is gone. */
  readonly timestampMs: number
  /** `commitInfo.txnId` of the version: with table id and version, what a cache is bound to. */
  readonly commitId: string | undefined
  readonly protocol: Protocol
  readonly metadata: Metadata
  /** Live files by their path, byte for byte as the log has it. */
  readonly files: LayeredMap<string, AddFile>
  /** Removed files by `tombstoneKey`; expired ones stay until `withoutExpiredTombstones`. */
  readonly tombstones: LayeredMap<string, RemoveFile>
  readonly txns: LayeredMap<string, SetTransaction>
  /** Live domains, whoever they belong to. */
  readonly domains: LayeredMap<string, DomainMetadata>
}

/** A state that we can read: its features are known and its schema is understood. */
export interface TableSnapshot extends LogState {
  /** `metadata.schemaString`, parsed. */
  readonly schema: StructType
}

/**
 * The snapshot after the entry `version`. Costs what the entry costs (plus, on average, the square root of the table).
 *
 * @param snapshot the table at `version - 1`; `null` for the first entry
 * @throws EngineError `E_LOG_INCOMPLETE`, `E_TABLE_FEATURE`, `E_SCHEMA_STRING` (all stop-table)
 * @see PROTOCOL.md "Action Reconciliation"; delta-protocol §2.10
 */
export function replay(
  snapshot: TableSnapshot | null,
  version: number,
  actions: readonly Action[],
): TableSnapshot {
  const state = replayLog(snapshot, version, actions)
  if (snapshot !== null && state.metadata === snapshot.metadata && state.protocol === snapshot.protocol) {
    return { ...state, schema: snapshot.schema }
  }
  return readable(state)
}

/** @throws EngineError `E_TABLE_FEATURE` or `E_SCHEMA_STRING` (stop-table) when the table is beyond us */
export function readable(state: LogState): TableSnapshot {
  assertReadable(state.protocol, state.metadata)
  return { ...state, schema: parseSchemaString(state.metadata.schemaString) }
}

/**
 * As `replay`, for the way to a version: what was unreadable on the way does not matter.
 *
 * @param state the log at `version - 1`; `null` for the first entry, or for all rows of a checkpoint
 */
export function replayLog(state: LogState | null, version: number, actions: readonly Action[]): LogState {
  const changes = collectChanges(actions)
  const protocol = changes.protocol ?? state?.protocol
  const metadata = changes.metadata ?? state?.metadata
  if (protocol === undefined || metadata === undefined) throw incomplete(version)
  const base = state ?? EMPTY
  return {
    version,
    timestampMs: changes.timestampMs,
    commitId: changes.commitId,
    protocol,
    metadata,
    files: base.files.derive(changes.adds, removedPaths(base.files, changes)),
    tombstones: base.tombstones.derive(changes.removes, revivedKeys(base.tombstones, changes)),
    txns: base.txns.derive(changes.txns, []),
    domains: base.domains.derive(changes.domains, changes.removedDomains),
  }
}

/** The state without removed files that no reader may still ask for. Done before a checkpoint is written. */
export function withoutExpiredTombstones(snapshot: TableSnapshot, nowMs: number): TableSnapshot {
  const oldestMs = nowMs - deletedFileRetentionMs(snapshot.metadata.configuration)
  const expired: string[] = []
  for (const [key, remove] of snapshot.tombstones) {
    if ((remove.deletionTimestamp ?? 0) < oldestMs) expired.push(key)
  }
  if (expired.length === 0) return snapshot
  return { ...snapshot, tombstones: snapshot.tombstones.derive(new Map(), expired) }
}

/**
 * The state with fewer removed files, where it has more than `max`: deletion vectors that newer ones of the same file
 * have replaced are forgotten, the oldest first.
 *
 * What that costs: a tombstone keeps a file from being vacuumed until the retention has passed since its removal; without
 * it, until it has passed since the file was written. The vectors of a busy table are replaced within seconds.
 */
export function withFewerTombstones(snapshot: TableSnapshot, max: number): TableSnapshot {
  const { files, tombstones } = snapshot
  if (tombstones.size <= max) return snapshot
  const newest = new Map<string, string>()
  for (const [key, { path }] of tombstones) if (!files.has(path)) newest.set(path, key)
  const replaced: string[] = []
  for (const [key, { path }] of tombstones) {
    if (tombstones.size - replaced.length <= max) break
    if (newest.get(path) !== key) replaced.push(key)
  }
  return { ...snapshot, tombstones: tombstones.derive(new Map(), replaced) }
}

/** A file may be removed several times, each time with another deletion vector. */
export function tombstoneKey(file: Pick<RemoveFile, 'path' | 'deletionVector'>): string {
  return `${file.path}\n${dvUniqueId(file.deletionVector) ?? ''}`
}

const EMPTY = {
  files: LayeredMap.of<string, AddFile>([]),
  tombstones: LayeredMap.of<string, RemoveFile>([]),
  txns: LayeredMap.of<string, SetTransaction>([]),
  domains: LayeredMap.of<string, DomainMetadata>([]),
}

interface Changes {
  protocol: Protocol | undefined
  metadata: Metadata | undefined
  timestampMs: number
  commitId: string | undefined
  readonly adds: Map<string, AddFile>
  readonly removes: Map<string, RemoveFile>
  readonly txns: Map<string, SetTransaction>
  readonly domains: Map<string, DomainMetadata>
  readonly removedDomains: string[]
}

function collectChanges(actions: readonly Action[]): Changes {
  const changes: Changes = {
    protocol: undefined,
    metadata: undefined,
    timestampMs: 0,
    commitId: undefined,
    adds: new Map(),
    removes: new Map(),
    txns: new Map(),
    domains: new Map(),
    removedDomains: [],
  }
  for (const action of actions) collectChange(action, changes)
  return changes
}

function collectChange(action: Action, changes: Changes): void {
  switch (action.kind) {
    case 'add':
      changes.adds.set(action.path, action)
      return
    case 'remove':
      changes.removes.set(tombstoneKey(action), action)
      return
    case 'txn':
      changes.txns.set(action.appId, action)
      return
    case 'metaData':
      changes.metadata = action
      return
    case 'protocol':
      changes.protocol = action
      return
    case 'domainMetadata':
      if (action.removed) changes.removedDomains.push(action.domain)
      else changes.domains.set(action.domain, action)
      return
    case 'commitInfo':
      changes.timestampMs = action.timestamp ?? 0
      changes.commitId = action.txnId
      return
    case 'cdc':
      return
    default:
      action satisfies never
  }
}

/** A remove takes out the live file of its path only when that has the vector the remove names. */
function removedPaths(files: LayeredMap<string, AddFile>, changes: Changes): string[] {
  const paths: string[] = []
  for (const remove of changes.removes.values()) {
    const live = files.get(remove.path)
    if (live !== undefined && dvUniqueId(live.deletionVector) === dvUniqueId(remove.deletionVector)) {
      paths.push(remove.path)
    }
  }
  return paths
}

/** A file that comes back (RESTORE) is no longer removed. */
function revivedKeys(tombstones: LayeredMap<string, RemoveFile>, changes: Changes): string[] {
  if (tombstones.size === 0) return []
  return [...changes.adds.values()].map(tombstoneKey)
}

function incomplete(version: number): EngineError {
  return new EngineError(
    'E_LOG_INCOMPLETE',
    'stop-table',
    'the first entry of a table must hold its protocol and metaData, and this one does not: the log is damaged, or the ' +
      'directory belongs to something else. Restore _delta_log from a backup, or choose another path for the table',
    { version },
  )
}
