import { setTimeout as after } from 'node:timers/promises'
import type { Clock } from '../../core/ports.ts'

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  /** Resolves early, without an error, when the signal fires. */
  async sleep(ms, signal) {
    try {
      await after(ms, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      if (signal?.aborted !== true) throw error
    }
  },
}
