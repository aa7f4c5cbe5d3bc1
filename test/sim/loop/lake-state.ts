import type { Cell } from '../../../schemas/delta-types.ts'
import type { CommitInfo } from '../../../writers/delta/actions.ts'
import { loadCommits, loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../../../writers/delta/snapshot.ts'
import { numRecordsOf } from '../../../writers/delta/statistics.ts'
import { readChanges } from '../../../writers/table/change-feed.ts'
import { TableReader } from '../../../writers/table/table-reader.ts'
import type { MemoryStore } from '../../support/memory-store.ts'

/** Table path → text of all that must be the same, however often the process died. */
export type LakeState = ReadonlyMap<string, string>

/** @param from by table: the first version whose changes count */
export async function stateOf(store: MemoryStore, from: ReadonlyMap<string, number>): Promise<LakeState> {
  const state = new Map<string, string>()
  for (const path of tablesOf(store)) {
    const snapshot = (await loadSnapshot(store, path))!
    const first = from.get(path) ?? 0
    state.set(path, textOf(await tableState(store, path, snapshot, first)))
  }
  return state
}

function tablesOf(store: MemoryStore): Set<string> {
  const logs = [...store.objects.keys()].flatMap((path) => /^(.+)\/_delta_log\//.exec(path)?.[1] ?? [])
  return new Set(logs)
}

async function tableState(store: MemoryStore, path: string, snapshot: TableSnapshot, first: number) {
  const { schema, metadata, txns, version } = snapshot
  return {
    // How many commits the letters and the mark take depends on when they are written, nothing else does.
    version: path.startsWith('_') ? null : version,
    schema,
    configuration: metadata.configuration,
    // Letters come in as many files as commits.
    counts: path.startsWith('_')
      ? null
      : [...snapshot.files.values()].map((file) => numRecordsOf(file.stats)).sort(),
    rows: (await rowsOf(store, path, snapshot)).map(textOf).sort(),
    txns: [...txns].map(([appId, txn]) => [appId, txn.version]).sort(([a], [b]) => (a! < b! ? -1 : 1)),
    changes: path.startsWith('_alluvium/') ? [] : await changesOf(store, path, snapshot, first),
    metrics: path.startsWith('_') ? null : await metricsOf(store, path, first),
  }
}

async function rowsOf(
  store: MemoryStore,
  path: string,
  { files, schema }: TableSnapshot,
): Promise<readonly Cell[][]> {
  const reader = new TableReader(store, path)
  const rows: Cell[][] = []
  for (const file of files.values()) {
    for await (const { cells } of reader.liveRows(file, schema)) rows.push([...cells])
  }
  return rows
}

/** The change feed, commit by commit; letters may come in other commits, each of them once. */
async function changesOf(
  store: MemoryStore,
  path: string,
  to: TableSnapshot,
  from: number,
): Promise<string[]> {
  const changes: string[] = []
  for await (const { type, version, cells } of readChanges(store, path, { from, to })) {
    changes.push(textOf([path === '_dlq' ? 0 : version, type, cells]))
  }
  return changes.sort()
}

async function metricsOf(store: MemoryStore, path: string, from: number) {
  const commits = await loadCommits(store, path, from)
  return commits.map(({ actions }) => {
    const info = actions.find((action): action is CommitInfo => action.kind === 'commitInfo')
    return [info?.operation, info?.operationMetrics, actions.map(({ kind }) => kind)]
  })
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, item) => {
    if (typeof item === 'bigint') return `${item}n`
    return item instanceof Uint8Array ? Buffer.from(item).toString('base64') : item
  })
}
