import type { ObjectStore } from '../../core/ports.ts'
import { tableName } from '../../schemas/change-event.ts'
import { loadSnapshot } from '../../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../../writers/delta/snapshot.ts'
import { type PartitionEpochs, readEpochs } from '../../writers/event-epoch.ts'
import { listTables } from '../../writers/table/list-tables.ts'
import { readProgress } from '../../writers/table-progress.ts'
import { readSourceIdentity } from '../../writers/table-properties.ts'
import { pipelineFolder } from './request.ts'

/** How far one table has come with one pipeline, as its log says. */
export interface TableCheckpoint {
  /** `schema.table`. */
  readonly name: string
  readonly path: string
  /** `topic/partition` → the next offset to read. */
  readonly nextOffsets: ReadonlyMap<string, bigint>
  readonly epochs: PartitionEpochs
}

export interface Checkpoints {
  /** `topic/partition` → the lowest offset that every table has passed. */
  readonly mark: ReadonlyMap<string, bigint>
  /** In order of path; tables that the pipeline has never written are not among them. */
  readonly tables: readonly TableCheckpoint[]
}

/** Where a pipeline stands, from the lake alone. */
export async function readCheckpoints(store: ObjectStore, pipeline: string): Promise<Checkpoints> {
  const mark = await loadSnapshot(store, pipelineFolder(pipeline))
  const tables: TableCheckpoint[] = []
  for await (const path of listTables(store, { hidden: false })) {
    const snapshot = await loadSnapshot(store, path)
    if (snapshot === null) continue
    const { nextOffsets } = readProgress(snapshot.txns, pipeline)
    if (nextOffsets.size === 0) continue
    const epochs = readEpochs(snapshot.txns, pipeline)
    tables.push({ name: nameOf(snapshot, path), path, nextOffsets, epochs })
  }
  return { mark: mark === null ? new Map() : readProgress(mark.txns, pipeline).nextOffsets, tables }
}

function nameOf({ metadata }: TableSnapshot, path: string): string {
  const source = readSourceIdentity(metadata.configuration)
  return source === null ? (metadata.name ?? path) : tableName(source)
}
