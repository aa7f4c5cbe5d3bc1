import { EngineError } from '../../core/errors.ts'

/** What is wrong with a file that cannot be taken apart. */
export function unreadable(reason: string, cause?: unknown): EngineError {
  return new EngineError(
    'E_PARQUET_UNREADABLE',
    'stop-table',
    `a Parquet file cannot be read: ${reason}. Restore the file from a copy, or restore the table to a version without it`,
    {},
    cause,
  )
}
