import { EngineError } from '../../core/errors.ts'

/** @throws EngineError `E_PATH` when the path could leave the root or has no single meaning in every store */
export function refuseEscape(path: string): void {
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..' || /[\0\\]/.test(part)) {
      throw new EngineError(
        'E_PATH',
        'stop',
        `refused the path ${JSON.stringify(path)}: it is not a plain relative path`,
      )
    }
  }
}

/** The same for what paths begin with: all but its last part must be plain. */
export function refuseEscapingPrefix(prefix: string): void {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (folder !== '') refuseEscape(folder.slice(0, -1))
}
