import { EngineError, messageOf } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'

/** Tells of a checkpoint or a merge that failed: no table stops for it. @returns the code of the error */
export function upkeepFailed(logger: Logger, table: string, error: unknown): string {
  const code = error instanceof EngineError ? error.code : 'E_BUG'
  logger.warn(
    { event: 'table.upkeep-failed', table, code, error: messageOf(error) },
    'the upkeep of a table failed',
  )
  return code
}
