import { stat } from 'node:fs/promises'
import { systemCode, toEngineError } from './fs-error.ts'

const READABLE_BY_OTHERS = 0o004

/** @returns whether everybody on this machine may read a file; `null`: there is none */
export async function mayAllRead(path: string): Promise<boolean | null> {
  try {
    return ((await stat(path)).mode & READABLE_BY_OTHERS) !== 0
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw toEngineError(error, `cannot look at ${path}`)
  }
}
