import { EngineError } from '../../../core/errors.ts'
import type { ObjectStore } from '../../../core/ports.ts'
import { tableName } from '../../../schemas/change-event.ts'
import { loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import { readerFeaturesOf, writerFeaturesOf } from '../../../writers/delta/protocol.ts'
import { listTables } from '../../../writers/table/list-tables.ts'
import { readSourceIdentity, readTableProperties } from '../../../writers/table-properties.ts'
import type { LakeTableFact } from './chain-facts.ts'

/** What the logs of a lake's tables say. @param paused names of tables whose commits are held */
export async function readLakeTables(
  store: ObjectStore,
  paused: ReadonlySet<string>,
): Promise<readonly LakeTableFact[]> {
  const tables: LakeTableFact[] = []
  for await (const path of listTables(store, { hidden: false }))
    tables.push(await readTable(store, path, paused))
  return tables
}

async function readTable(
  store: ObjectStore,
  path: string,
  paused: ReadonlySet<string>,
): Promise<LakeTableFact> {
  const nothing = { readerFeatures: [], writerFeatures: [], key: [], incomplete: [], isPaused: false }
  try {
    const snapshot = await loadSnapshot(store, path)
    if (snapshot === null) return { name: path, path, problem: null, ...nothing }
    const { configuration, name: given } = snapshot.metadata
    const source = readSourceIdentity(configuration)
    const properties = readTableProperties(configuration)
    const name = source === null ? (given ?? path) : tableName(source)
    return {
      name,
      path,
      problem: null,
      readerFeatures: readerFeaturesOf(snapshot.protocol),
      writerFeatures: writerFeaturesOf(snapshot.protocol),
      key: properties?.key ?? [],
      incomplete: properties?.incomplete ?? [],
      isPaused: paused.has(name),
    }
  } catch (error) {
    if (error instanceof EngineError && error.remedy === 'stop-table')
      return { name: path, path, problem: error, ...nothing }
    throw error
  }
}
