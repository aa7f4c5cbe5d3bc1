import { EngineError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'
import type { ConnectorStatus } from './connect-client.ts'

/** What is asked until a connector streams. */
export interface StreamingSigns {
  status(): Promise<ConnectorStatus>
  /** Whether somebody reads the slot and has said how far; `null`: there is nobody to ask. */
  slotIsRead(): Promise<boolean | null>
}

export type StreamingOutcome =
  /** The slot is read. */
  | { readonly kind: 'streams' }
  /** Connect says so, and nobody else could be asked. */
  | { readonly kind: 'runs' }
  /** Connect gave it up. */
  | { readonly kind: 'failed'; readonly who: string; readonly trace: string | null }
  /** The time is over, and this is what Connect says. */
  | { readonly kind: 'waits'; readonly states: readonly string[] }

const PAUSE_MS = 500
/** A task that fails does so at once or when it has connected; one that has run for so long has connected. */
const STEADY_MS = 10_000

/**
 * Waits until a connector really streams. `RUNNING` alone is not it: Connect says so before the task has connected, and
 * all through a snapshot.
 */
export async function awaitStreaming(
  signs: StreamingSigns,
  limitMs: number,
  clock: Clock,
): Promise<StreamingOutcome> {
  const startMs = clock.monotonicMs()
  let runningSinceMs: number | null = null
  for (;;) {
    const status = await statusOf(signs)
    const nowMs = clock.monotonicMs()
    const failure = status === null ? null : failureOf(status)
    if (failure !== null) return failure
    const isRunning = status !== null && isAllRunning(status)
    runningSinceMs = isRunning ? (runningSinceMs ?? nowMs) : null
    const isRead = isRunning ? await signs.slotIsRead() : false
    if (isRead === true) return { kind: 'streams' }
    if (isRead === null && runningSinceMs !== null && nowMs - runningSinceMs >= STEADY_MS)
      return { kind: 'runs' }
    if (nowMs - startMs >= limitMs) return { kind: 'waits', states: statesOf(status) }
    await clock.sleep(PAUSE_MS)
  }
}

/** Connect does not know a new connector at once. */
async function statusOf(signs: StreamingSigns): Promise<ConnectorStatus | null> {
  try {
    return await signs.status()
  } catch (error) {
    if (error instanceof EngineError && error.code === 'E_NO_CONNECTOR') return null
    throw error
  }
}

export function isAllRunning({ state, tasks }: ConnectorStatus): boolean {
  return state === 'RUNNING' && tasks.length > 0 && tasks.every((task) => task.state === 'RUNNING')
}

function failureOf({ name, state, trace, tasks }: ConnectorStatus): StreamingOutcome | null {
  const failed = tasks.find((task) => task.state === 'FAILED')
  if (state !== 'FAILED' && failed === undefined) return null
  const who = failed === undefined ? `the connector ${name}` : `task ${failed.id} of ${name}`
  return { kind: 'failed', who, trace: failed?.trace ?? trace }
}

function statesOf(status: ConnectorStatus | null): readonly string[] {
  return status === null ? [] : [status.state, ...status.tasks.map(({ state }) => state)]
}
