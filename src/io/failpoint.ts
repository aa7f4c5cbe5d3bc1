import { EngineError } from '../../core/errors.ts'
import type { StepReached } from '../../core/ports.ts'

/**
 * For tests of crashes: `ALLUVIUM_FAILPOINT=log.put:linked:2` kills this process, as a power cut would, when the step
 * `log.put:linked` is reached for the second time. Without a setting every step passes.
 *
 * @throws EngineError `E_FAILPOINT` (usage) when the setting is not `step:n`
 */
export function failpoint(setting: string | undefined, kill: () => void = killThisProcess): StepReached {
  if (setting === undefined || setting === '') return () => {}
  const found = /^(.+):([1-9]\d*)$/.exec(setting)
  if (found === null) {
    throw new EngineError(
      'E_FAILPOINT',
      'usage',
      `ALLUVIUM_FAILPOINT must be step:n with n from 1, not ${JSON.stringify(setting)}`,
    )
  }
  let left = Number(found[2])
  return (step) => {
    if (step === found[1] && --left === 0) kill()
  }
}

function killThisProcess(): void {
  process.kill(process.pid, 'SIGKILL')
}
