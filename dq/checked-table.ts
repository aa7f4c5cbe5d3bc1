import type { SourceTable } from '../core/ports.ts'
import { loadSnapshot } from '../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../writers/delta/snapshot.ts'
import type { DqPorts } from './dq-ports.ts'

/** A table of the source and where its copy lies. */
export interface CheckedTable {
  /** `schema.table`. */
  readonly name: string
  readonly source: SourceTable
  /** From the root of the lake. */
  readonly path: string
  /** SQL that tells the rows of the source that the table was laid down with, by who asked for them; `null`: all. */
  readonly where?: string | null
  /** Columns that are compared although the table calls them incomplete: they are being filled. */
  readonly filling?: readonly string[]
}

/** How long nothing happens between two looks at the table's log. */
const POLL_MS = 250
/** A transaction that asks nothing for longer may be ended by the server. */
const STAY_OPEN_MS = 5_000

/** The newest version of a table that is there: whoever checks it has looked. */
export async function newestVersion({ store }: DqPorts, { path }: CheckedTable): Promise<TableSnapshot> {
  return (await loadSnapshot(store, path))!
}

/**
 * Waits for a version that holds everything the source had committed when it was called.
 *
 * @returns `null` when the lake did not come as far in time
 */
export async function awaitVersion(
  ports: DqPorts,
  table: CheckedTable,
  waitMs: number,
  stayOpen: () => Promise<void>,
): Promise<TableSnapshot | null> {
  const { clock, barrier } = ports
  const mark = await barrier.mark()
  const endMs = clock.monotonicMs() + waitMs
  for (let openMs = clock.monotonicMs(); ; ) {
    const snapshot = await newestVersion(ports, table)
    if (await barrier.isPassed(mark, snapshot)) return snapshot
    const nowMs = clock.monotonicMs()
    if (nowMs >= endMs) return null
    if (nowMs - openMs >= STAY_OPEN_MS) {
      await stayOpen()
      openMs = nowMs
    }
    await clock.sleep(POLL_MS)
  }
}
