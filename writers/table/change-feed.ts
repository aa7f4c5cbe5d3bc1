import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import { type Cell, field, type StructType, struct } from '../../schemas/delta-types.ts'
import type { ChangeType } from '../change-rows.ts'
import type { AddCdcFile, AddFile, RemoveFile } from '../delta/actions.ts'
import { objectPath } from '../delta/file-path.ts'
import { type CommitEntry, loadCommits, loadSnapshot } from '../delta/load-snapshot.ts'
import { readListing } from '../delta/log-listing.ts'
import { commitPath, logPrefix } from '../delta/log-path.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { isSet } from '../delta/table-properties.ts'
import { type RowFile, TableReader } from './table-reader.ts'

/** One row of a change feed. */
export interface TableChange {
  /** `_change_type` */
  readonly type: ChangeType
  /** `_commit_version` */
  readonly version: number
  /** `_commit_timestamp`, milliseconds: the commit's own, or when its entry was stored if it has none. */
  readonly timestampMs: number
  /** By field of the schema that was asked for. */
  readonly cells: readonly Cell[]
}

export interface ChangeRange {
  /** First version. One above the newest is no error: there is nothing yet. */
  readonly from: number
  /** Last version, and the schema that rows of older versions are read by: columns they lack are null. */
  readonly to: TableSnapshot
  /** The columns that are wanted; default: all of the table's. */
  readonly schema?: StructType
  /** What the files tell is wanted also where the feed is off: nobody promised it then. */
  readonly alsoWhenOff?: boolean
}

/** Entries held at once. */
const ENTRIES_AT_ONCE = 16
/** Rows of one deletion vector read at once. */
const ROWS_AT_ONCE = 10_000

/**
 * The changes that versions made to a table, version by version; inside one, old rows come before new ones, except where
 * the writer of a change file ordered them.
 *
 * If a version has any change file, those tell all of its changes; else each file that came or went counts as inserts or
 * deletes, and a file that only got another deletion vector as the rows that entered or left it. What is marked
 * `dataChange: false` is silent.
 *
 * @throws EngineError (usage) `E_NO_SUCH_VERSION` · `E_NO_CHANGE_FEED`: it was off at a version of the range ·
 * `E_FEED_EXPIRED`: log entries or files of the range are gone
 * @see PROTOCOL.md "Reader Requirements for AddCDCFile"; delta-protocol §6
 */
export async function* readChanges(
  store: ObjectStore,
  tablePath: string,
  { from, to, schema = to.schema, alsoWhenOff = false }: ChangeRange,
): AsyncGenerator<TableChange> {
  if (from > to.version + 1) throw noSuchVersion(from, to.version)
  if (from > to.version) return
  await refuseExpired(store, tablePath, from, to.version)
  const first = from === to.version ? to : (await loadSnapshot(store, tablePath, { version: from }))!
  let isOn = isFeedOn(first.metadata)
  const reader = new EntryReader(store, tablePath, schema, to.metadata.partitionColumns.length > 0)
  for (let version = from; version <= to.version; version += ENTRIES_AT_ONCE) {
    const last = Math.min(version + ENTRIES_AT_ONCE - 1, to.version)
    const entries = await loadCommits(store, tablePath, version, last)
    if (entries.length < last - version + 1) throw expired(version + entries.length)
    for (const entry of entries) {
      const metadata = entry.actions.find((action) => action.kind === 'metaData')
      if (metadata !== undefined) isOn = isFeedOn(metadata)
      if (!isOn && !alsoWhenOff) throw feedOff(entry.version)
      yield* reader.changes(entry)
    }
  }
}

/** Reads the changes of single log entries. */
class EntryReader {
  readonly #store: ObjectStore
  readonly #tablePath: string
  readonly #schema: StructType
  readonly #isPartitioned: boolean
  readonly #reader: TableReader

  constructor(store: ObjectStore, tablePath: string, schema: StructType, isPartitioned: boolean) {
    this.#store = store
    this.#tablePath = tablePath
    this.#schema = schema
    this.#isPartitioned = isPartitioned
    this.#reader = new TableReader(store, tablePath)
  }

  async *changes(entry: CommitEntry): AsyncGenerator<TableChange> {
    const { version } = entry
    const timestampMs = await this.#timestampOf(entry)
    const written = entry.actions.filter((action) => action.kind === 'cdc')
    const rows = written.length > 0 ? this.#writtenRows(written) : this.#derivedRows(entry)
    try {
      for await (const { type, cells } of rows) yield { type, version, timestampMs, cells }
    } catch (error) {
      throw error instanceof EngineError && error.code === 'E_FILE_MISSING' ? expired(version, error) : error
    }
  }

  async #timestampOf({ version, actions }: CommitEntry): Promise<number> {
    const said = actions.find((action) => action.kind === 'commitInfo')?.timestamp
    if (said !== undefined) return said
    return (await this.#store.head('log.head', commitPath(this.#tablePath, version)))?.modifiedMs ?? 0
  }

  async *#writtenRows(files: readonly AddCdcFile[]): AsyncGenerator<TypedRow> {
    const withType = struct([...this.#schema.fields, field('_change_type', 'string')])
    for (const file of files) {
      for await (const { cells } of this.#reader.liveRows(file, withType)) {
        yield { type: cells.at(-1) as ChangeType, cells: cells.slice(0, -1) }
      }
    }
  }

  async *#derivedRows({ actions, version }: CommitEntry): AsyncGenerator<TypedRow> {
    const adds = new Map<string, AddFile>()
    const removes = new Map<string, RemoveFile>()
    for (const action of actions) {
      if (action.kind === 'add' && action.dataChange) adds.set(action.path, action)
      if (action.kind === 'remove' && action.dataChange) removes.set(action.path, action)
    }
    for (const remove of removes.values()) {
      const same = adds.get(remove.path)
      const rows =
        same === undefined
          ? this.#allRows(await this.#fileOf(remove, version))
          : this.#rowsDeletedBy(same, { ...same, deletionVector: remove.deletionVector })
      for await (const cells of rows) yield { type: 'delete', cells }
    }
    for (const add of adds.values()) {
      const same = removes.get(add.path)
      const rows =
        same === undefined
          ? this.#allRows(add)
          : this.#rowsDeletedBy({ ...add, deletionVector: same.deletionVector }, add)
      for await (const cells of rows) yield { type: 'insert', cells }
    }
  }

  async *#allRows(file: RowFile): AsyncGenerator<readonly Cell[]> {
    for await (const { cells } of this.#reader.liveRows(file, this.#schema)) yield cells
  }

  /** Rows that are deleted in `file` and live in `other`: one file with two deletion vectors. */
  async *#rowsDeletedBy(file: RowFile, other: RowFile): AsyncGenerator<readonly Cell[]> {
    const elsewhere = await this.#reader.deletedRows(other)
    const all = (await this.#reader.deletedRows(file)) ?? []
    const deleted = [...all].filter((row) => !elsewhere?.has(row))
    for (let at = 0; at < deleted.length; at += ROWS_AT_ONCE) {
      yield* await this.#reader.rows(file, this.#schema, deleted.slice(at, at + ROWS_AT_ONCE))
    }
  }

  /** Not every writer says of a removed file all that is needed to read it (delta-protocol §2.4). */
  async #fileOf(remove: RemoveFile, version: number): Promise<RowFile> {
    const { path, partitionValues, deletionVector } = remove
    if (partitionValues === undefined && this.#isPartitioned) throw unknownPartition(version)
    const file = { path, partitionValues: partitionValues ?? {}, deletionVector }
    if (remove.size !== undefined) return { ...file, size: remove.size }
    const object = await this.#store.head('data.head', objectPath(this.#store, this.#tablePath, path))
    return { ...file, size: object?.sizeBytes ?? 0 }
  }
}

interface TypedRow {
  readonly type: ChangeType
  readonly cells: readonly Cell[]
}

function isFeedOn({ configuration }: { readonly configuration: Readonly<Record<string, string>> }): boolean {
  return isSet(configuration, 'delta.enableChangeDataFeed')
}

/** Log entries are kept for a while only (`delta.logRetentionDuration`). */
async function refuseExpired(store: ObjectStore, tablePath: string, from: number, to: number): Promise<void> {
  const { commits } = readListing(await store.list('log.list', logPrefix(tablePath)))
  for (let version = to; version >= from; version--) if (!commits.has(version)) throw expired(version)
}

function expired(version: number, cause?: unknown): EngineError {
  return new EngineError(
    'E_FEED_EXPIRED',
    'usage',
    `the changes of version ${version} are no longer kept (delta.logRetentionDuration, ` +
      'delta.deletedFileRetentionDuration); read the whole table once, and its feed from a later version on',
    {},
    cause,
  )
}

function feedOff(version: number): EngineError {
  return new EngineError(
    'E_NO_CHANGE_FEED',
    'usage',
    `the change feed is off at version ${version}; begin at the version that turned it on, or turn it on ` +
      '(changeFeed: rows) and take the topic in anew into another lake',
  )
}

function unknownPartition(version: number): EngineError {
  return new EngineError(
    'E_NO_CHANGE_FEED',
    'usage',
    `the writer of version ${version} does not say in which partition the files were that it removed, so their rows ` +
      'cannot be told; begin at a later version',
  )
}

function noSuchVersion(version: number, newest: number): EngineError {
  return new EngineError(
    'E_NO_SUCH_VERSION',
    'usage',
    `the table has no version ${version} yet; its newest is ${newest}`,
  )
}
