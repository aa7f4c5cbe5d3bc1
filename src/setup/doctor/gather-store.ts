import { EngineError } from '../../../core/errors.ts'
import type { ObjectStore, Random } from '../../../core/ports.ts'
import type { StoreFacts } from './chain-facts.ts'

/** Where a question leaves an object for a moment; no table lies there. */
const FOLDER = '_alluvium/.probe'

/**
 * Tries what a process has to do in its store, and takes away what it left.
 *
 * @param probe whether the store keeps two writers apart, see `probeConditionalPut`
 * @throws EngineError when the store cannot be asked at all
 */
export async function readStoreFacts(
  store: ObjectStore,
  random: Random,
  probe: (store: ObjectStore) => Promise<void>,
): Promise<StoreFacts> {
  const path = `${FOLDER}/${random.uuid()}`
  const tries: readonly (readonly [right: string, attempt: () => Promise<unknown>])[] = [
    ['list', () => store.list('lake.list', '', undefined, 1)],
    ['put', () => store.put('probe.put', path, new TextEncoder().encode('alluvium doctor'))],
    ['get', () => store.get('probe.get', path)],
    ['delete', () => store.delete('probe.delete', path)],
  ]
  const refused: string[] = []
  for (const [right, attempt] of tries) if (await isRefused(attempt)) refused.push(right)
  const mayProbe = !refused.includes('put') && !refused.includes('get')
  return { refused, conditionalPut: mayProbe ? await faultOf(() => probe(store)) : null }
}

/** A right that is missing is told by the store; anything else means that it cannot be asked. */
async function isRefused(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt()
    return false
  } catch (error) {
    if (error instanceof EngineError && /_(?:DENIED|READ_ONLY)$/.test(error.code)) return true
    throw error
  }
}

async function faultOf(probe: () => Promise<void>): Promise<EngineError | null> {
  try {
    await probe()
    return null
  } catch (error) {
    if (error instanceof EngineError && error.code === 'E_STORE_UNFIT') return error
    throw error
  }
}
