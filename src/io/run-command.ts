import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { EngineError, messageOf } from '../../core/errors.ts'

/**
 * Runs somebody else's command with our terminal. An interrupt goes on to it, and we outlive it.
 *
 * @returns its exit code; 128 + the signal's number when a signal ended it
 * @throws EngineError `E_COMMAND` (usage) when it cannot be started
 */
export async function runCommandLine(command: readonly string[], signal: AbortSignal): Promise<number> {
  const [file, ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(file!, args, { stdio: 'inherit' })
    const stop = (): void => void child.kill('SIGTERM')
    signal.addEventListener('abort', stop)
    child.on('error', (error) => {
      signal.removeEventListener('abort', stop)
      const message = `${JSON.stringify(file)} cannot be started: ${messageOf(error)}`
      reject(new EngineError('E_COMMAND', 'usage', message, {}, error))
    })
    child.on('exit', (code, by) => {
      signal.removeEventListener('abort', stop)
      resolve(code ?? 128 + constants.signals[by ?? 'SIGTERM'])
    })
  })
}
