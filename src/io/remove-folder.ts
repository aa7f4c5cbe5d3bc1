import { rm } from 'node:fs/promises'
import { toEngineError } from './fs-error.ts'

/** Removes a folder of a disk with all that is in it; no error when it is not there. */
export async function removeFolder(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true })
  } catch (error) {
    throw toEngineError(error, `cannot remove ${directory}`)
  }
}
