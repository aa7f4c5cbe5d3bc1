import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
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

/** @returns `false`, and leaves it as it is, when there is such a file already */
export async function createTextFile(path: string, text: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw toEngineError(error, `cannot write ${path}`)
  }
}
