import type { ObjectStore } from '../../core/ports.ts'
import { logPrefix } from '../delta/log-path.ts'

/** Objects asked for at once: on the way to a table a few are enough, and what lies in it is jumped over. */
const PAGE = 200

/**
 * Paths of the Delta tables in a store, in path order. A table is a folder with a log; what lies in it is not looked
 * at, however many files it has.
 *
 * @param options.hidden also tables below a name that begins with `_` or `.`: our own
 */
export async function* listTables(
  store: ObjectStore,
  options: { readonly hidden: boolean },
): AsyncGenerator<string> {
  const known = new Map<string, boolean>()
  const isTable = async (folder: string) => {
    const found = known.get(folder) ?? (await hasLog(store, folder))
    known.set(folder, found)
    return found
  }
  for (let after: string | undefined; ; ) {
    const page = await store.list('lake.list', '', after, PAGE)
    if (page.length === 0) return
    after = page.at(-1)!.path
    for (const { path } of page) {
      const hidden = options.hidden ? null : hiddenFolder(path)
      const table = await firstWhere(foldersAbove(path, hidden), isTable)
      if (table !== null) yield table
      if (table === '') return
      const done = table ?? hidden
      if (done === null) continue
      after = afterAllIn(done)
      break
    }
  }
}

async function hasLog(store: ObjectStore, folder: string): Promise<boolean> {
  return (await store.list('log.list', logPrefix(folder), undefined, 1)).length > 0
}

/** Folders that hold the path, the outermost first; those above `hidden` only. */
function foldersAbove(path: string, hidden: string | null): string[] {
  const parts = (hidden ?? path).split('/')
  return parts.map((_, i) => parts.slice(0, i).join('/'))
}

/** The first folder on the way to the path whose name hides it. */
function hiddenFolder(path: string): string | null {
  const parts = path.split('/')
  const at = parts.slice(0, -1).findIndex((part) => part.startsWith('_') || part.startsWith('.'))
  return at < 0 ? null : parts.slice(0, at + 1).join('/')
}

/** A place in path order behind everything in a folder: `0` is the character after `/`. */
function afterAllIn(folder: string): string {
  return `${folder}0`
}

async function firstWhere<T>(values: readonly T[], holds: (value: T) => Promise<boolean>): Promise<T | null> {
  for (const value of values) if (await holds(value)) return value
  return null
}
