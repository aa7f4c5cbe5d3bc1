import type { Observe } from '../../core/fact.ts'
import type { Clock, ObjectStore, Random, StepReached } from '../../core/ports.ts'
import type { Lake, StoreSettings } from '../config/config.ts'
import { LocalStore } from './local-store.ts'

export interface StorePorts {
  readonly clock: Clock
  readonly random: Random
  readonly stepReached: StepReached
  readonly observe: Observe
}

/**
 * Opens the store that holds a lake. Nothing is asked of it yet.
 *
 * @throws EngineError `E_STORE_UNFIT` (stop) for a kind of bucket that cannot hold one
 */
export async function openStore(
  lake: Lake,
  settings: StoreSettings,
  ports: StorePorts,
): Promise<ObjectStore> {
  if (lake.kind === 'local') return new LocalStore(lake.directory, ports)
  // The SDK takes a while to load and memory to keep: only who writes to S3 pays for it.
  const { openS3Store } = await import('./open-s3-store.ts')
  return openS3Store(lake, settings, ports)
}
