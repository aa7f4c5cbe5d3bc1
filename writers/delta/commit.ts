import { assert } from '../../core/assert.ts'
import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import type { Action } from './actions.ts'
import { readCommit, writeCommit } from './log-entry.ts'
import { commitPath } from './log-path.ts'

/** How a try ends. */
export type CommitOutcome =
  | { readonly kind: 'committed'; readonly version: number; readonly sizeBytes: number }
  /** Somebody else's entry stands there. */
  | { readonly kind: 'lost'; readonly version: number; readonly winner: readonly Action[] }
  /** The entry may or may not be there: try the same version with the same actions again. */
  | { readonly kind: 'unknown'; readonly cause: unknown }

/**
 * Tries to create log entry `version`. One conditional put, and one look at what stands there when the put does not say
 * that it made it: after a lost answer "exists" may mean our own bytes. No retry: the loop belongs to the caller.
 *
 * @param actions one legal commit with a `commitInfo` whose `txnId` no other commit has
 * @throws EngineError of the store with another remedy than `retry`; `E_LOG_ENTRY` when the winner cannot be read
 * @see PROTOCOL.md "Creation of New Log Entries": an entry is never overwritten; delta-protocol §12
 */
export async function tryCommit(
  store: ObjectStore,
  tablePath: string,
  version: number,
  actions: readonly Action[],
): Promise<CommitOutcome> {
  const commitId = commitIdOf(actions)
  assert(commitId !== undefined, 'a commit without txnId could not be told from its rivals')
  assert(version > 0 || startsTable(actions), 'version 0 must hold protocol and metaData')
  const path = commitPath(tablePath, version)
  const bytes = writeCommit(actions)
  const committed: CommitOutcome = { kind: 'committed', version, sizeBytes: bytes.length }
  let cause: unknown
  try {
    if ((await store.putIfAbsent('log.put', path, bytes)) === 'created') return committed
  } catch (error) {
    if (!isRetryable(error)) throw error
    cause = error
  }
  let found: Uint8Array | null
  try {
    found = await store.get('log.read-back', path)
  } catch (error) {
    if (!isRetryable(error)) throw error
    return { kind: 'unknown', cause: cause ?? error }
  }
  if (found === null) return { kind: 'unknown', cause }
  const winner = readCommit(found, version)
  return commitIdOf(winner) === commitId ? committed : { kind: 'lost', version, winner }
}

function commitIdOf(actions: readonly Action[]): string | undefined {
  return actions.find((action) => action.kind === 'commitInfo')?.txnId
}

function startsTable(actions: readonly Action[]): boolean {
  return actions.some(({ kind }) => kind === 'protocol') && actions.some(({ kind }) => kind === 'metaData')
}

function isRetryable(error: unknown): boolean {
  return error instanceof EngineError && error.remedy === 'retry'
}
