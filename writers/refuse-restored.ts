import { EngineError } from '../core/errors.ts'
import type { ObjectStore } from '../core/ports.ts'
import type { Action } from './delta/actions.ts'
import { loadCommits } from './delta/load-snapshot.ts'

/** Entries that are looked at from the newest back: what strangers do while nobody writes is not that much. */
const LOOK_BACK = 100

/**
 * Refuses an entry that put the table back to an older version. Rows went back and offsets did not: what comes next
 * would be applied to rows that it was not meant for.
 *
 * @throws EngineError `E_RESTORED` (stop-table)
 */
export function refuseRestored(table: string, version: number, entry: readonly Action[]): void {
  const info = entry.find((action) => action.kind === 'commitInfo')
  if (info?.operation !== 'RESTORE') return
  throw new EngineError(
    'E_RESTORED',
    'stop-table',
    `the table was restored to an older version (by ${info.engineInfo ?? 'an unknown writer'}), and its topics were read ` +
      'further than that; `alluvium table resume` goes on from where they were read to: rows that do not change again ' +
      'stay as they were restored',
    { table, version },
  )
}

/**
 * Refuses a table that was restored after the pipeline's last commit, while no process looked.
 *
 * @throws EngineError `E_RESTORED` (stop-table), and what the store throws
 */
export async function refuseRestoredSince(
  store: ObjectStore,
  table: string,
  newest: number,
  pipeline: string,
): Promise<void> {
  const isOurs = (action: Action): boolean =>
    action.kind === 'txn' && action.appId.startsWith(`alluvium/${pipeline}/`)
  for (let version = newest; version >= 0 && version > newest - LOOK_BACK; version--) {
    const [entry] = await loadCommits(store, table, version, version)
    if (entry === undefined || entry.actions.some(isOurs)) return
    refuseRestored(table, version, entry.actions)
  }
}
