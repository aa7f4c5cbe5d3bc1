import { assertWritable } from '../delta/protocol.ts'
import type { TableSnapshot } from '../delta/snapshot.ts'
import { TableReader } from '../table/table-reader.ts'
import { TableLog, type TableLogPorts } from '../table-log.ts'
import { OPTIMIZE_GOAL } from './merge-plan.ts'
import { type MergedTable, type MergeReport, TableMerger } from './table-merger.ts'

/** Merges that may be lost in a row to those who write the table. */
const LOSSES_MAX = 10

/**
 * Merges the files of a table up to the target size now, as any stranger to its owner would: the owner follows.
 *
 * @returns what each merge did
 * @throws EngineError (stop-table) for a table that we may not write; what the store throws, and the signal's reason
 */
export async function optimizeTable(
  ports: TableLogPorts,
  tablePath: string,
  signal: AbortSignal,
): Promise<readonly MergeReport[]> {
  const log = await TableLog.open(ports, tablePath)
  if (log.snapshot === null) return []
  refuseUnwritable(log.snapshot)
  const merger = new TableMerger({ ...ports, tablePath, reader: new TableReader(ports.store, tablePath) })
  const table: MergedTable = {
    get snapshot() {
      return log.snapshot
    },
    mode: null,
    commit: (prepare) => log.commit(prepare, async (winner) => refuseUnwritable(winner)),
  }
  const reports: MergeReport[] = []
  for (let losses = 0; losses < LOSSES_MAX; ) {
    const before = log.snapshot.version
    const report = await merger.merge(table, OPTIMIZE_GOAL, signal)
    if (report !== null) reports.push(report)
    else if (log.snapshot.version === before) break
    else losses++
  }
  await log.upkeepWhenDue()
  return reports
}

/** Whoever wins a race may have brought a feature that we do not carry out. */
function refuseUnwritable({ protocol, metadata, schema }: TableSnapshot): void {
  assertWritable(protocol, metadata, schema, 'append')
}
