import { type CheckedTable, newestVersion } from './checked-table.ts'
import type { DqPorts } from './dq-ports.ts'

/** Whether one table holds everything up to a place in the source's log. */
export interface TableReached {
  readonly table: string
  readonly reached: boolean
  /** Version that holds it, or that was looked at last. */
  readonly version: number
}

/** How long nothing happens between two looks at the logs of tables. */
const POLL_MS = 250

/**
 * Waits until tables hold everything that the source had committed before a place in its log.
 *
 * A table has come as far when each of its partitions has applied an event of a transaction that came after it, or has
 * come to where the partition ended once the connector had confirmed the place (`StreamBarrier`). So a quiet table has as
 * soon as the connector confirms it, which a heartbeat or a message in the log lets it do.
 *
 * @param lsn see `parseLsn`; `null`: where the source is now
 */
export async function waitForPlace(
  ports: DqPorts,
  tables: readonly CheckedTable[],
  lsn: bigint | null,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<readonly TableReached[]> {
  const { clock, barrier } = ports
  const mark = await (lsn === null ? barrier.mark() : barrier.markAt(lsn))
  const endMs = clock.monotonicMs() + waitMs
  const found = new Map<string, TableReached>()
  for (;;) {
    for (const table of tables) {
      if (found.get(table.name)?.reached === true) continue
      const snapshot = await newestVersion(ports, table)
      const reached = await barrier.isPassed(mark, snapshot)
      found.set(table.name, { table: table.name, reached, version: snapshot.version })
    }
    const all = [...found.values()]
    if (all.every(({ reached }) => reached) || clock.monotonicMs() >= endMs || signal.aborted) return all
    await clock.sleep(POLL_MS, signal)
  }
}
