import type { ObjectStore } from '../../core/ports.ts'
import type { Pace } from '../pace.ts'
import { ColumnSet } from '../parquet/column-set.ts'
import { ParquetFileEncoder, type ParquetOptions } from '../parquet/encode-parquet.ts'
import { cellsOfAction, type StateAction } from './action-cells.ts'
import { CHECKPOINT_SCHEMA } from './checkpoint-schema.ts'
import { parseLastCheckpoint, renderLastCheckpoint } from './last-checkpoint.ts'
import { checkpointPath, lastCheckpointPath } from './log-path.ts'
import { assertWritable } from './protocol.ts'
import type { TableSnapshot } from './snapshot.ts'
import { transactionRetentionMs } from './table-properties.ts'

/** A reader asks for at most this many entries behind a checkpoint. */
const COMMITS_MAX = 100
/** And reads at most about this much JSON, which is what starting up costs. */
const JSON_BYTES_MAX = 8 * 1024 * 1024

const CHECKPOINT_FILE: ParquetOptions = {
  codec: 'snappy',
  pageRows: 20_000,
  rowGroupRows: 200_000,
  pageIndex: false,
  createdBy: 'alluvium',
}

/** What was committed since the last checkpoint. */
export interface SinceCheckpoint {
  readonly commits: number
  readonly jsonBytes: number
}

/** Whether a checkpoint is due. @see design §3.4 "Cadence and growth" */
export function shouldCheckpoint(since: SinceCheckpoint): boolean {
  return since.commits >= COMMITS_MAX || since.jsonBytes >= JSON_BYTES_MAX
}

/**
 * Writes the classic checkpoint of a version that is in the log, then the pointer to it. Where the table has a rule for
 * it, expired transactions are left out. Expired tombstones are the caller's business: the files go before them.
 *
 * A failure harms nothing: the log is whole without a checkpoint. The caller logs it and goes on.
 *
 * @param nowMs what "expired" is measured against
 * @param pace the work steps aside by it; without it, it is done in one go
 * @returns the size of the file, in bytes
 * @throws EngineError `E_TABLE_FEATURE` (stop-table) for a table whose features we do not know, and what the store throws
 * @see PROTOCOL.md "Checkpoints"; delta-protocol §4.1, §4.2, §4.4
 */
export async function writeCheckpoint(
  store: ObjectStore,
  tablePath: string,
  snapshot: TableSnapshot,
  nowMs: number,
  pace?: Pace,
): Promise<number> {
  assertWritable(snapshot.protocol, snapshot.metadata, snapshot.schema, 'append')
  const columns = new ColumnSet(CHECKPOINT_SCHEMA)
  for (const action of stateActions(snapshot, nowMs)) {
    columns.append(cellsOfAction(action))
    if (columns.rowCount % 256 === 0) await pace?.step()
  }
  const file = new ParquetFileEncoder(CHECKPOINT_SCHEMA, CHECKPOINT_FILE)
  for (const _ of file.add(columns)) await pace?.step()
  const { bytes, rowCount } = file.finish()
  await store.put('checkpoint.put', checkpointPath(tablePath, snapshot.version), bytes)
  await movePointer(store, tablePath, {
    version: snapshot.version,
    size: rowCount,
    sizeInBytes: bytes.length,
    numOfAddFiles: snapshot.files.size,
  })
  return bytes.length
}

/** The reconciled state of a version, action by action. `dataChange` is false: nothing changes by being summed up. */
function* stateActions(snapshot: TableSnapshot, nowMs: number): Generator<StateAction> {
  const { protocol, metadata, txns, domains, files, tombstones } = snapshot
  yield protocol
  yield metadata
  const retentionMs = transactionRetentionMs(metadata.configuration)
  for (const txn of txns.values()) {
    const isExpired =
      retentionMs !== undefined && txn.lastUpdated !== undefined && txn.lastUpdated < nowMs - retentionMs
    if (!isExpired) yield txn
  }
  yield* domains.values()
  for (const remove of tombstones.values()) yield { ...remove, dataChange: false }
  for (const add of files.values()) yield { ...add, dataChange: false }
}

/** Never moved back: a slower process may have finished an older checkpoint after us. */
async function movePointer(
  store: ObjectStore,
  tablePath: string,
  pointer: Parameters<typeof renderLastCheckpoint>[0],
): Promise<void> {
  const path = lastCheckpointPath(tablePath)
  const before = await store.get('log.last-checkpoint.get', path)
  const known = before === null ? undefined : parseLastCheckpoint(before)
  if (known !== undefined && known >= pointer.version) return
  await store.put('log.last-checkpoint.put', path, renderLastCheckpoint(pointer))
}
