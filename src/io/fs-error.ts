import { EngineError, type Remedy } from '../../core/errors.ts'

interface Diagnosis {
  readonly code: string
  readonly remedy: Remedy
  readonly cure: string
}

const FULL: Diagnosis = {
  code: 'E_DISK_FULL',
  remedy: 'retry',
  cure: 'the disk or the quota is full; free some space, nothing has to be restarted',
}
const TOO_MANY_FILES: Diagnosis = {
  code: 'E_TOO_MANY_FILES',
  remedy: 'retry',
  cure: 'too many files are open; raise the limit (`ulimit -n`)',
}
const READ_ONLY: Diagnosis = {
  code: 'E_DISK_READ_ONLY',
  remedy: 'stop',
  cure: 'the file system is mounted read-only; mount it writable or choose another directory',
}
const DENIED: Diagnosis = {
  code: 'E_DISK_DENIED',
  remedy: 'stop',
  cure: 'permission denied; give this user the right to read and write there, or choose another directory',
}
const BUSY: Diagnosis = {
  code: 'E_DISK_FAILED',
  remedy: 'retry',
  cure: 'the disk did not answer as it should',
}
const FAILED: Diagnosis = {
  code: 'E_DISK_FAILED',
  remedy: 'stop',
  cure: 'the file system refused and trying again will not help',
}

/** What each error of the operating system means for us; all others are `FAILED`. */
const DIAGNOSES: Readonly<Record<string, Diagnosis>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
  EROFS: READ_ONLY,
  EACCES: DENIED,
  EPERM: DENIED,
  EIO: BUSY,
  EAGAIN: BUSY,
  EBUSY: BUSY,
  ESTALE: BUSY,
  ETIMEDOUT: BUSY,
  ENOMEM: BUSY,
}

/** The code of an error that the operating system gave (`ENOENT`), or `undefined` when it is another kind of error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/**
 * Turns an error of the operating system into an `EngineError` whose remedy the loop can follow; any other error is
 * given back as it is.
 *
 * @param doing what was tried, as the beginning of a sentence: `cannot write /lake/a.parquet`
 */
export function toEngineError(error: unknown, doing: string): unknown {
  const code = systemCode(error)
  if (code === undefined) return error
  const { code: ours, remedy, cure } = DIAGNOSES[code] ?? FAILED
  return new EngineError(ours, remedy, `${doing}: ${cure} (${code})`, {}, error)
}
