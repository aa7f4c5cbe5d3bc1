import { EngineError } from '../../core/errors.ts'

/** How a command ends; scripts rely on it. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** The command did its work and found a difference or a problem (also: dead letters). */
  problem: 2,
  /** It could not be told. */
  unclear: 3,
  usage: 64,
  /** Ended by SIGINT or SIGTERM before it had done what it was to do. */
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof EngineError && error.remedy === 'usage' ? EXIT.usage : EXIT.failed
}
