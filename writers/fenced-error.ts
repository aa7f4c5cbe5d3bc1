import { EngineError } from '../core/errors.ts'
import type { Action } from './delta/actions.ts'

/**
 * Somebody else has moved how far we have read a topic into a table.
 *
 * @param version the one that we see it at
 * @param winner the entry that did it, if we know
 */
export function fencedError(table: string, version: number, winner: readonly Action[] = []): EngineError {
  const info = winner.find((action) => action.kind === 'commitInfo')
  return new EngineError(
    'E_FENCED',
    'stop-table',
    `another writer (${info?.engineInfo ?? 'unknown'}, commit ${info?.txnId ?? 'unnamed'}) moved this pipeline's position; ` +
      'only one process may write a table: stop the other one, or give the pipelines different names',
    { table, version },
  )
}
