import { EngineError } from '../../core/errors.ts'
import type { AddFile } from '../delta/actions.ts'
import { dvUniqueId } from '../delta/dv-descriptor.ts'
import type { RowSet } from '../delta/row-set.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import type { TableReader } from '../table/table-reader.ts'
import type { FileOrdinals } from './file-ordinals.ts'
import type { KnownFile } from './saved-locator.ts'

/**
 * Brings what a locator knows of files up to a snapshot. Rows that are gone are noted, not looked for: an entry that
 * names one is as good as none.
 *
 * @param known the files that the locator is right for
 * @returns the files whose rows it has to take in
 */
export async function filesToRead(
  known: Iterable<KnownFile>,
  snapshot: TableSnapshot,
  reader: TableReader,
  files: FileOrdinals,
): Promise<readonly AddFile[]> {
  const before = new Map<string, KnownFile>()
  for (const file of known) before.set(file.path, file)
  files.retain((path) => snapshot.files.has(path))
  const added: AddFile[] = []
  for (const file of snapshot.files.values()) {
    const was = before.get(file.path)
    if (was === undefined) {
      added.push(file)
    } else if (idOf(was) !== idOf(file)) {
      const deleted = await reader.deletedRows(file)
      if (deleted !== null) files.setDeleted(file.path, deleted)
      if (!(await hasOnlyLost(was, deleted, file, reader))) added.push(file)
    }
  }
  return added
}

function idOf({ deletionVector }: KnownFile): string | undefined {
  return deletionVector === undefined ? undefined : dvUniqueId(deletionVector)
}

/** Whether no row has come back to life. A vector that is not there any more cannot tell. */
async function hasOnlyLost(
  was: KnownFile,
  deleted: RowSet | null,
  file: AddFile,
  reader: TableReader,
): Promise<boolean> {
  try {
    if (was.deletionVector === undefined) return true
    const before = (await reader.deletedRows({ ...file, deletionVector: was.deletionVector }))!
    return deleted !== null && deleted.union(before).size === deleted.size
  } catch (error) {
    if (error instanceof EngineError && error.remedy !== 'retry') return false
    throw error
  }
}
