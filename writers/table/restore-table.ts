import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import { type Action, type AddFile, removeOf } from '../delta/actions.ts'
import { deletionVectorPath } from '../delta/deletion-vector.ts'
import { dvUniqueId } from '../delta/dv-descriptor.ts'
import { objectPath } from '../delta/file-path.ts'
import { loadSnapshot } from '../delta/load-snapshot.ts'
import { assertWritable } from '../delta/protocol.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { type PreparedCommit, TableLog, type TableLogPorts } from '../table-log.ts'

export interface RestoreReport {
  /** The new version, which reads as the old one did. */
  readonly version: number
  readonly filesRestored: number
  readonly filesRemoved: number
}

/**
 * Commits a version that has the rows, columns and properties of an older one. How far topics were read stays as it is:
 * progress never moves back by itself.
 *
 * @returns `null`: the table reads so already
 * @throws EngineError `E_NO_SUCH_VERSION`, `E_RESTORE_EXPIRED` (usage); (stop-table) for a table that we may not write
 */
export async function restoreTable(
  ports: TableLogPorts,
  tablePath: string,
  version: number,
): Promise<RestoreReport | null> {
  const log = await TableLog.open(ports, tablePath)
  const target = await loadSnapshot(ports.store, tablePath, { version })
  if (log.snapshot === null || target === null) throw noVersion(version)
  refuseUnwritable(log.snapshot)
  let prepared: PreparedCommit | null = null
  const isCommitted = await log.commit(
    async (current) => {
      prepared = await prepareRestore(ports, tablePath, current!, target)
      return prepared
    },
    async (winner) => refuseUnwritable(winner),
  )
  if (!isCommitted) return null
  const counts = countFiles(prepared!.actions)
  return { version: log.snapshot.version, ...counts }
}

/** Whoever wins a race may have brought a feature that we do not carry out. */
function refuseUnwritable({ protocol, metadata, schema }: TableSnapshot): void {
  assertWritable(protocol, metadata, schema, 'change')
}

async function prepareRestore(
  { store, clock }: TableLogPorts,
  tablePath: string,
  current: TableSnapshot,
  target: TableSnapshot,
): Promise<PreparedCommit | null> {
  const nowMs = clock.nowMs()
  const actions: Action[] = []
  const { schemaString, configuration } = target.metadata
  const isSameMetadata =
    schemaString === current.metadata.schemaString &&
    JSON.stringify(configuration) === JSON.stringify(current.metadata.configuration)
  if (!isSameMetadata) actions.push({ ...current.metadata, schemaString, configuration })
  for (const file of current.files.values()) {
    if (!isSameFile(file, target.files.get(file.path))) actions.push(removeOf(file, nowMs, true))
  }
  for (const file of target.files.values()) {
    if (isSameFile(file, current.files.get(file.path))) continue
    await refuseExpired(store, tablePath, file, target.version)
    actions.push({ ...file, dataChange: true })
  }
  if (actions.length === 0) return null
  const { filesRestored, filesRemoved } = countFiles(actions)
  return {
    operation: 'RESTORE',
    metrics: { numRestoredFiles: String(filesRestored), numRemovedFiles: String(filesRemoved) },
    actions,
    ours: { kind: 'upsert', touched: 'all', appIds: new Set() },
  }
}

function countFiles(actions: readonly Action[]): { filesRestored: number; filesRemoved: number } {
  return {
    filesRestored: actions.filter(({ kind }) => kind === 'add').length,
    filesRemoved: actions.filter(({ kind }) => kind === 'remove').length,
  }
}

function isSameFile(a: AddFile, b: AddFile | undefined): boolean {
  return b !== undefined && dvUniqueId(a.deletionVector) === dvUniqueId(b.deletionVector)
}

async function refuseExpired(
  store: ObjectStore,
  tablePath: string,
  { path, deletionVector }: AddFile,
  version: number,
): Promise<void> {
  const vector = deletionVector && deletionVectorPath(store, tablePath, deletionVector)
  for (const object of [objectPath(store, tablePath, path), vector]) {
    if (object === undefined || (await store.head('data.head', object)) !== null) continue
    throw new EngineError(
      'E_RESTORE_EXPIRED',
      'usage',
      `version ${version} needs ${object}, which was vacuumed; restore to a later version`,
      { table: tablePath },
    )
  }
}

function noVersion(version: number): EngineError {
  return new EngineError('E_NO_SUCH_VERSION', 'usage', `the table has no version ${version}`)
}
