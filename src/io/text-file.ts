import { readFile } from 'node:fs/promises'
import { systemCode, toEngineError } from './fs-error.ts'

/** A whole small text file, or `null` when there is none. */
export async function readTextFile(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw toEngineError(error, `cannot read ${path}`)
  }
}
