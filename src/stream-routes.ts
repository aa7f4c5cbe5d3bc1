import type { ObjectStore } from '../core/ports.ts'
import type { StreamRoutes } from '../dq/stream-barrier.ts'
import { tableName } from '../schemas/change-event.ts'
import { loadSnapshot } from '../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import { readProgress } from '../writers/table-progress.ts'
import { readSourceIdentity } from '../writers/table-properties.ts'
import { contractFor, type PipelineConfig } from './config/config.ts'
import { tablesOfMark } from './pipeline/passed-mark.ts'
import { pipelineFolder } from './pipeline/request.ts'
import { feedsTable } from './pipeline/topic-tables.ts'

const NOTHING: ReadonlyMap<string, bigint> = new Map()

/** The ways from topics to tables, as a pipeline goes them and has noted how far (its passed mark). */
export function streamRoutes(store: ObjectStore, pipeline: PipelineConfig): StreamRoutes {
  const identityOf = ({ metadata }: TableSnapshot) => readSourceIdentity(metadata.configuration)
  return {
    feeds: (topic, table) => {
      const source = identityOf(table)
      return source !== null && feedsTable(topic, source, contractFor(pipeline, tableName(source)).topics)
    },
    passed: async (table) => {
      const mark = await loadSnapshot(store, pipelineFolder(pipeline.name))
      const source = identityOf(table)
      if (mark === null || source === null) return NOTHING
      const isCovered = tablesOfMark(mark)?.covers(tableName(source)) === true
      return isCovered ? readProgress(mark.txns, pipeline.name).nextOffsets : NOTHING
    },
  }
}
