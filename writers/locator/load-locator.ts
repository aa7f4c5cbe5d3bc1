import type { LocalFiles, ObjectStore, Random } from '../../core/ports.ts'
import { readCommit } from '../delta/log-entry.ts'
import { commitPath } from '../delta/log-path.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import type { Pace } from '../pace.ts'
import { DELETED, ENTRY_BYTES, ENTRY_WORDS, ROW } from './entry.ts'
import { mergeEntries } from './entry-cursor.ts'
import { EntryTable } from './entry-table.ts'
import { FileOrdinals } from './file-ordinals.ts'
import { KeyLocator } from './key-locator.ts'
import type { LocatorMemory } from './locator-memory.ts'
import { PositionCodes } from './position-codes.ts'
import { Run } from './run.ts'
import { RunShelf } from './run-shelf.ts'
import { readSaved, type SavedLocator } from './saved-locator.ts'

/** Entries are taken into memory when they fit easily: with the gaps between them, and room for more. */
const MEMORY_SHARE = 1.5
/** Entries between two turns of others. */
const ENTRIES_AT_ONCE = 16_384

/** The table whose locator is wanted. */
export interface LocatedTable {
  readonly store: ObjectStore
  readonly path: string
  readonly snapshot: TableSnapshot
  /** Stored names of the key columns, in key order. */
  readonly key: readonly string[]
}

/** Where the locator of one table is kept on this machine. */
export interface LocatorFolder {
  readonly files: LocalFiles
  readonly path: string
  readonly memory: LocatorMemory
  readonly random: Random
}

export interface LoadedLocator {
  readonly locator: KeyLocator
  /** It is right for what this says: an older version of the table, perhaps. */
  readonly saved: SavedLocator
}

/** @returns `null`: nothing is there that belongs to this table, or it is not whole */
export async function loadLocator(
  { files, path, memory, random }: LocatorFolder,
  table: LocatedTable,
  pace: Pace,
): Promise<LoadedLocator | null> {
  const saved = await readSaved(files, path)
  if (saved === null || !(await isOfTable(saved, table))) return null
  const shelf = new RunShelf(files, path, random)
  for (const each of saved.runs) {
    const run = await Run.open(files, each)
    if (run !== null) shelf.replace([...shelf.runs, run])
  }
  if (shelf.runs.length < saved.runs.length) {
    shelf.close()
    return null
  }
  const ordinals = saved.files.map(([ordinal, { path }]): [number, string] => [ordinal, path])
  const parts = {
    files: new FileOrdinals(ordinals, saved.nextOrdinal),
    positions: new PositionCodes(saved.anchors),
  }
  const count = shelf.runs.reduce((sum, { entryCount }) => sum + entryCount, 0)
  const fits = count * ENTRY_BYTES * MEMORY_SHARE < memory.freeBytes
  if (!fits) return { locator: new KeyLocator({ ...parts, disk: { shelf, memory } }), saved }
  const entries = await taken(shelf, count, pace)
  shelf.close()
  const disk = { shelf: new RunShelf(files, path, random), memory }
  return { locator: new KeyLocator({ ...parts, entries, disk }), saved }
}

/** The same table, and a version that it really had. */
async function isOfTable(
  saved: SavedLocator,
  { store, path, snapshot, key }: LocatedTable,
): Promise<boolean> {
  if (saved.tableId !== snapshot.metadata.id || saved.key.join('\n') !== key.join('\n')) return false
  if (saved.version === snapshot.version) return saved.commitId === snapshot.commitId
  if (saved.version > snapshot.version) return false
  const bytes = await store.get('log.get', commitPath(path, saved.version))
  if (bytes === null) return false
  const info = readCommit(bytes, saved.version).find((action) => action.kind === 'commitInfo')
  return info?.txnId === saved.commitId
}

async function taken(shelf: RunShelf, count: number, pace: Pace): Promise<EntryTable> {
  const entries = new EntryTable(count)
  const entry = new Uint32Array(ENTRY_WORDS)
  const cursors = shelf.runs.map((run) => run.cursor())
  await mergeEntries(cursors, (part, words, at) => {
    if (words[at + ROW] === DELETED) return undefined
    for (let i = 0; i < ENTRY_WORDS; i++) entry[i] = words[at + i]!
    entries.put(part, entry)
    return entries.size % ENTRIES_AT_ONCE === 0 ? pace.step() : undefined
  })
  return entries
}
