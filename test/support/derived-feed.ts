import { type Cell, field, type StructType, struct } from '../../schemas/delta-types.ts'
import type { ChangeType } from '../../writers/change-rows.ts'
import type { Action, AddFile, RemoveFile } from '../../writers/delta/actions.ts'
import { readDeletionVector } from '../../writers/delta/deletion-vector.ts'
import { loadCommits } from '../../writers/delta/load-snapshot.ts'
import { replay, type TableSnapshot } from '../../writers/delta/snapshot.ts'
import { TableReader } from '../../writers/table/table-reader.ts'
import type { MemoryStore } from './memory-store.ts'
import { rowObject, type StoredRow, TABLE_PATH } from './test-table.ts'

export interface Change {
  readonly type: ChangeType
  readonly row: StoredRow
}

export interface VersionChanges {
  readonly version: number
  /** The commit brought change files; else the changes are derived from what it adds and removes. */
  readonly isWritten: boolean
  readonly changes: readonly Change[]
}

/**
 * The change feed of a table from its first version on, by the rules of PROTOCOL.md "Change Data Files", in the columns
 * of its newest version.
 */
export async function deriveFeed(store: MemoryStore): Promise<VersionChanges[]> {
  const feed: VersionChanges[] = []
  const files = new FileRows(store)
  const commits = await loadCommits(store, TABLE_PATH, 0)
  let newest: TableSnapshot | null = null
  for (const { version, actions } of commits) newest = replay(newest, version, actions)
  for (const { version, actions } of commits) {
    const isWritten = actions.some((action) => action.kind === 'cdc')
    const changes = isWritten
      ? await writtenChanges(files, actions, newest!.schema)
      : await derivedChanges(files, actions, newest!.schema)
    feed.push({ version, isWritten, changes })
  }
  return feed
}

type Files = Pick<FileRows, 'read'>

async function writtenChanges(
  files: Files,
  actions: readonly Action[],
  schema: StructType,
): Promise<Change[]> {
  const withType = struct([...schema.fields, field('_change_type', 'string')])
  const changes: Change[] = []
  for (const action of actions) {
    if (action.kind !== 'cdc') continue
    for (const cells of (await files.read(action, withType)).values()) {
      changes.push({ type: cells.at(-1) as ChangeType, row: rowObject(schema, cells.slice(0, -1)) })
    }
  }
  return changes
}

/** What was there before and is not there now was deleted; what is there now and was not before was inserted. */
async function derivedChanges(
  files: Files,
  actions: readonly Action[],
  schema: StructType,
): Promise<Change[]> {
  const before = new Map<string, readonly Cell[]>()
  const after = new Map<string, readonly Cell[]>()
  for (const action of actions) {
    if ((action.kind !== 'add' && action.kind !== 'remove') || !action.dataChange) continue
    const rows = await files.read(action, schema)
    for (const [row, cells] of rows)
      (action.kind === 'add' ? after : before).set(`${action.path} ${row}`, cells)
  }
  const changes: Change[] = []
  for (const [place, cells] of before) {
    if (!after.has(place)) changes.push({ type: 'delete', row: rowObject(schema, cells) })
  }
  for (const [place, cells] of after) {
    if (!before.has(place)) changes.push({ type: 'insert', row: rowObject(schema, cells) })
  }
  return changes
}

/** Live rows of files as the log names them, by row number. */
class FileRows {
  readonly #store: MemoryStore
  readonly #reader: TableReader

  constructor(store: MemoryStore) {
    this.#store = store
    this.#reader = new TableReader(store, TABLE_PATH)
  }

  async read(
    file: Pick<AddFile | RemoveFile, 'path' | 'partitionValues' | 'size' | 'deletionVector'>,
    schema: StructType,
  ): Promise<ReadonlyMap<number, readonly Cell[]>> {
    const { path, size, partitionValues, deletionVector } = file
    const deleted =
      deletionVector === undefined ? null : await readDeletionVector(this.#store, TABLE_PATH, deletionVector)
    const rows = new Map<number, readonly Cell[]>()
    const whole = {
      kind: 'add',
      path,
      size: size!,
      partitionValues: partitionValues!,
      modificationTime: 0,
      dataChange: true,
    } as const
    for await (const { row, cells } of this.#reader.liveRows(whole, schema)) {
      if (!deleted?.has(row)) rows.set(row, cells)
    }
    return rows
  }
}
