import { commitPath } from '../../../writers/delta/log-path.ts'
import type { MemoryStore } from '../../support/memory-store.ts'

type ActionName = 'add' | 'txn'

type Entry = Readonly<Partial<Record<ActionName, Record<string, unknown>>>>

/**
 * A program that takes one version of a table for itself, just before that is asked for by us: it copies a data file to
 * another name and says as little about it as the protocol allows, neither who it is, nor when, nor how big the file
 * was. It says where our topic was read to, as a former owner of its partition does: we are fenced once, and go on.
 */
export function strangerWhoTakes(
  store: MemoryStore,
  tablePath: string,
  version: number,
): (asked: string) => void {
  const path = commitPath(tablePath, version)
  return (asked) => {
    if (asked !== path || store.objects.has(path)) return
    const file = newest('add', store, tablePath, version)
    const txn = newest('txn', store, tablePath, version)
    const copy = 'copy-of-a-stranger.parquet'
    store.seed(`${tablePath}/${copy}`, store.objects.get(`${tablePath}/${file['path']}`)!.bytes)
    const actions = [
      { remove: { path: file['path'], dataChange: true } },
      { add: { ...file, path: copy, dataChange: true } },
      { txn },
    ]
    store.seed(path, actions.map((action) => JSON.stringify(action)).join('\n'))
  }
}

function newest(
  name: ActionName,
  store: MemoryStore,
  tablePath: string,
  before: number,
): Record<string, unknown> {
  for (let version = before - 1; version >= 0; version--) {
    const text = new TextDecoder().decode(store.objects.get(commitPath(tablePath, version))!.bytes)
    const entries = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry)
    const action = entries.find((entry) => entry[name] !== undefined)?.[name]
    if (action !== undefined) return action
  }
  throw new TypeError(`${tablePath} has no ${name}`)
}
