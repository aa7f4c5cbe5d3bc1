import { EngineError } from '../../core/errors.ts'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { parseConfig } from '../config/parse-config.ts'
import { readTextFile } from '../io/text-file.ts'

export const CONFIG_FILE = 'alluvium.yaml'

/**
 * Reads a configuration file; everything in it is checked.
 *
 * @throws EngineError `E_NO_CONFIG` (usage) when there is none, `E_CONFIG` when something is wrong in it
 */
export async function loadConfig(path: string, environment: Environment): Promise<Config> {
  const config = await loadConfigIfAny(path, environment)
  if (config !== null) return config
  throw new EngineError(
    'E_NO_CONFIG',
    'usage',
    `there is no configuration ${path}: \`alluvium init\` writes one to begin with, -c FILE names another`,
  )
}

/** @returns `null` when there is no such file */
export async function loadConfigIfAny(path: string, environment: Environment): Promise<Config | null> {
  const text = await readTextFile(path)
  return text === null ? null : parseConfig(text, path, environment)
}

/**
 * The configuration that a command means: the named file, which must be there, or `alluvium.yaml` when there is one.
 *
 * @returns `null` when none is named and there is none
 */
export function findConfig(named: string | undefined, environment: Environment): Promise<Config | null> {
  return named === undefined ? loadConfigIfAny(CONFIG_FILE, environment) : loadConfig(named, environment)
}
