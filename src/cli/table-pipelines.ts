import { EngineError } from '../../core/errors.ts'
import { tableName } from '../../schemas/change-event.ts'
import type { TableSnapshot } from '../../writers/delta/snapshot.ts'
import type { DeltaTable } from '../../writers/table/delta-table.ts'
import { readSourceIdentity } from '../../writers/table-properties.ts'
import { findTable } from './find-table.ts'
import type { OpenLake } from './lake-options.ts'

/** A table as its pipelines call it. */
export interface FedTable {
  /** `schema.table`. */
  readonly name: string
  /** Whose progress it keeps; of a table that is not there yet, those whose configuration could feed it. */
  readonly pipelines: readonly string[]
  /** `null`: it is not there yet. */
  readonly table: DeltaTable | null
}

/**
 * The table that a person means, and the pipelines that write it.
 *
 * @throws EngineError `E_NO_TABLE` (usage) when there is none and no configuration names one; what `findTable` throws
 */
export async function findFedTable(lake: OpenLake, name: string): Promise<FedTable> {
  const { pipelines } = lake.config
  try {
    const table = await findTable(lake, name)
    const source = readSourceIdentity(table.snapshot.metadata.configuration)
    const fed = source === null ? (table.snapshot.metadata.name ?? name) : tableName(source)
    return { name: fed, pipelines: pipelinesIn(table.snapshot), table }
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'E_NO_TABLE') throw error
    const named = pipelines.filter((pipeline) => pipeline.tables.has(name))
    if (named.length === 0) throw error
    return { name, pipelines: named.map((pipeline) => pipeline.name), table: null }
  }
}

/** By the progress that the table keeps: `alluvium/<pipeline>/…`. */
export function pipelinesIn(snapshot: Pick<TableSnapshot, 'txns'>): readonly string[] {
  const names = new Set<string>()
  for (const [appId] of snapshot.txns) {
    const found = /^alluvium\/([^/]+)\//.exec(appId)
    if (found !== null) names.add(found[1]!)
  }
  return [...names]
}
