import { field, struct } from '../../schemas/delta-types.ts'
import type { Action, AddFile, Metadata, Protocol } from '../../writers/delta/actions.ts'
import { writeCommit } from '../../writers/delta/log-entry.ts'
import { commitPath } from '../../writers/delta/log-path.ts'
import { renderSchemaString } from '../../writers/delta/schema-string.ts'
import type { MemoryStore } from './memory-store.ts'

/** Parts of a Delta log for tests that care about some of it. */
export const PROTOCOL: Protocol = { kind: 'protocol', minReaderVersion: 1, minWriterVersion: 2 }

export function metadataOf(configuration: Record<string, string> = {}): Metadata {
  return {
    kind: 'metaData',
    id: '5a11ab1e-0000-4000-8000-000000000000',
    format: { provider: 'parquet', options: {} },
    schemaString: renderSchemaString(struct([field('id', 'long')])),
    partitionColumns: [],
    configuration,
    createdTime: 1,
  }
}

export function addOf(path: string, more: Partial<AddFile> = {}): AddFile {
  return {
    kind: 'add',
    path,
    partitionValues: {},
    size: 10,
    modificationTime: 5,
    dataChange: true,
    stats: '{"numRecords":9}',
    ...more,
  }
}

/** Puts an entry into the store; its commit id is `commit-<version>`. */
export function seedCommit(
  store: MemoryStore,
  tablePath: string,
  version: number,
  actions: readonly Action[],
): void {
  const info: Action = { kind: 'commitInfo', timestamp: 1000 + version, txnId: `commit-${version}` }
  store.seed(commitPath(tablePath, version), writeCommit([info, ...actions]))
}

/** A table with versions 0 to `newest`; every version from 1 on adds the file `f<version>`. */
export function seedTable(store: MemoryStore, tablePath: string, newest: number): void {
  seedCommit(store, tablePath, 0, [PROTOCOL, metadataOf()])
  for (let version = 1; version <= newest; version++) {
    const txn: Action = { kind: 'txn', appId: 'app', version: BigInt(version), lastUpdated: version }
    seedCommit(store, tablePath, version, [addOf(`f${version}`), txn])
  }
}
