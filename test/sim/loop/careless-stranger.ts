import { commitPath } from '../../../writers/delta/log-path.ts'
import type { MemoryStore } from '../../support/memory-store.ts'

interface Entry {
  readonly add?: Record<string, unknown>
}

/**
 * A program that takes one version of a table for itself, just before that is asked for by us: it copies a data file to
 * another name and says as little about it as the protocol allows, neither who it is, nor when, nor how big the file
 * was.
 */
export function strangerWhoTakes(
  store: MemoryStore,
  tablePath: string,
  version: number,
): (asked: string) => void {
  const path = commitPath(tablePath, version)
  return (asked) => {
    if (asked !== path || store.objects.has(path)) return
    const file = newestFile(store, tablePath, version)
    const copy = 'copy-of-a-stranger.parquet'
    store.seed(`${tablePath}/${copy}`, store.objects.get(`${tablePath}/${file['path']}`)!.bytes)
    const actions = [
      { remove: { path: file['path'], dataChange: true } },
      { add: { ...file, path: copy, dataChange: true } },
    ]
    store.seed(path, actions.map((action) => JSON.stringify(action)).join('\n'))
  }
}

function newestFile(store: MemoryStore, tablePath: string, before: number): Record<string, unknown> {
  for (let version = before - 1; version >= 0; version--) {
    const text = new TextDecoder().decode(store.objects.get(commitPath(tablePath, version))!.bytes)
    const entries = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry)
    const add = entries.find((entry) => entry.add !== undefined)?.add
    if (add !== undefined) return add
  }
  throw new TypeError(`${tablePath} has no file`)
}
