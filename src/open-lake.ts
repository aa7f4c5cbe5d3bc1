import type { ObjectStore } from '../core/ports.ts'
import type { Config } from './config/config.ts'
import { defaultConfig } from './config/default-config.ts'
import { openPorts } from './engine.ts'
import { SILENT } from './library/silent.ts'

/**
 * A lake to be read.
 *
 * @param location a directory, or an S3 address
 * @throws EngineError `E_LAKE` (usage)
 */
export function openLake(location: string): Promise<ObjectStore> {
  return openConfiguredLake(defaultConfig({ from: '.', lake: location }))
}

/** The lake that a configuration names. */
export async function openConfiguredLake(config: Config): Promise<ObjectStore> {
  return (await openPorts(config, SILENT, undefined)).store
}
