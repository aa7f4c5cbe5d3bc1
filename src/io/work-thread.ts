import { Worker } from 'node:worker_threads'
import { EngineError, messageOf } from '../../core/errors.ts'
import type { Channel } from './message-calls.ts'

/** A thread of this process that does the work on some topics. */
export interface WorkThread {
  readonly channel: Channel
  /** Told once when the thread ends by itself, which it never should. */
  whenBroken(tell: (error: EngineError) => void): void
  /** Ends it, whatever it is doing. */
  close(): Promise<void>
}

/** Beside this file, and of the same kind: compiled, or not. */
const ENTRY = new URL(`./topic-thread${import.meta.url.slice(-3)}`, import.meta.url)

/** @param settings as `topic-thread.ts` expects them, cloned */
export function startWorkThread(settings: unknown): WorkThread {
  const worker = new Worker(ENTRY, { workerData: settings })
  let isClosed = false
  return {
    channel: worker,
    whenBroken(tell) {
      worker.on('error', (error) => tell(broken(messageOf(error), error)))
      worker.on('exit', (code) => {
        if (!isClosed) tell(broken(`it ended with ${code}`))
      })
    },
    async close() {
      isClosed = true
      await worker.terminate()
    },
  }
}

function broken(why: string, cause?: unknown): EngineError {
  const message = `a thread of this process broke off, and with it the run; start again: ${why}`
  return new EngineError('E_WORKER', 'stop', message, {}, cause)
}
