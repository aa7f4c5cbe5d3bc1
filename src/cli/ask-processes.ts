import { EngineError } from '../../core/errors.ts'
import type { Clock, ObjectStore, Random } from '../../core/ports.ts'
import { type ProcessSign, runningProcesses } from '../pipeline/process-sign.ts'
import type { Answer, Ask, Request } from '../pipeline/request.ts'
import { RequestBox } from '../pipeline/request-box.ts'
import { instantText } from './measures.ts'

const POLL_MS = 500

export interface AskPorts {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly random: Random
}

export interface Asked {
  readonly request: Request
  /** Of every process that runs; empty when none does. */
  readonly answers: readonly Answer[]
}

export interface AskOptions {
  readonly ask: Ask
  /** After which nobody honours it any more. */
  readonly lifeMs: number
  /** How long to wait for processes that run and do not answer. */
  readonly waitMs: number
  readonly signal: AbortSignal
}

/**
 * Leaves a request with a pipeline, and waits until every process that runs it has answered; the request stays. A
 * process shows its sign before it looks for requests, and we leave the request before we look for signs: one of us
 * sees the other.
 *
 * @throws EngineError `E_NO_ANSWER` (stop) when a process that runs does not answer; the request is taken back then
 */
export async function askProcesses(ports: AskPorts, pipeline: string, options: AskOptions): Promise<Asked> {
  const { store, clock } = ports
  const box = new RequestBox(ports, pipeline)
  const request = await box.leave(options.ask, options.lifeMs)
  const until = clock.monotonicMs() + options.waitMs
  for (;;) {
    const running = await runningProcesses(store, clock, pipeline)
    const answers = await box.answers(request)
    const silent = running.filter(({ process }) => !answers.some((answer) => answer.process === process))
    const isDone = options.ask.kind !== 'pause' && answers.some(({ outcome }) => outcome === 'done')
    if (silent.length === 0 || isDone) return { request, answers }
    if (clock.monotonicMs() > until || options.signal.aborted) {
      await box.clear(request)
      throw noAnswer(pipeline, silent)
    }
    await clock.sleep(POLL_MS, options.signal)
  }
}

function noAnswer(pipeline: string, silent: readonly ProcessSign[]): EngineError {
  const seen = silent.map(({ process, seenMs }) => `${process} (seen ${instantText(seenMs)} UTC)`)
  return new EngineError(
    'E_NO_ANSWER',
    'stop',
    `pipeline ${pipeline} runs and does not answer: ${seen.join(', ')}; nothing was done. Try again with a longer ` +
      '--wait, or look at its log; a process that was killed counts as gone after 90 seconds',
  )
}
