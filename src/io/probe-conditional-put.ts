import { EngineError } from '../../core/errors.ts'
import type { ObjectStore, PutIfAbsentOutcome, Random } from '../../core/ports.ts'

/** Where a probe leaves its objects for a moment. No table lies there. */
const FOLDER = '_alluvium/.probe'
const AT_ONCE = 4
const TRIES = 3

/**
 * Asks the store itself whether it creates an object only when there is none, first one request after the other, then
 * several at once. Some stores that speak S3 ignore the condition and answer that all is well: two writers would
 * overwrite each other's commits without a sign.
 *
 * @throws EngineError `E_STORE_UNFIT` (stop) when it does not; what the store throws when it cannot be asked
 */
export async function probeConditionalPut(store: ObjectStore, random: Random): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await probe(store, random)
      return
    } catch (error) {
      // A lost answer leaves the key in doubt: ask anew, with another one.
      const isBadDay = error instanceof EngineError && error.remedy === 'retry'
      if (!isBadDay || attempt === TRIES) throw error
    }
  }
}

async function probe(store: ObjectStore, random: Random): Promise<void> {
  const first = `${FOLDER}/${random.uuid()}`
  const second = `${FOLDER}/${random.uuid()}`
  try {
    const inTurn = [await create(store, first, 0), await create(store, first, 1)]
    refuseUnlessOne(store, inTurn, 'one after the other')
    const atOnce = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => create(store, second, i)))
    refuseUnlessOne(store, atOnce, 'at the same time')
    await refuseUnlessKept(store, second, atOnce.indexOf('created'))
  } finally {
    for (const path of [first, second]) {
      await store.delete('probe.delete', path).catch(() => {}) // who may not delete leaves a few bytes
    }
  }
}

function create(store: ObjectStore, path: string, writer: number): Promise<PutIfAbsentOutcome> {
  return store.putIfAbsent('probe.put', path, contentOf(writer))
}

function contentOf(writer: number): Uint8Array {
  return new TextEncoder().encode(`writer ${writer}`)
}

function refuseUnlessOne(store: ObjectStore, outcomes: readonly PutIfAbsentOutcome[], how: string): void {
  const created = outcomes.filter((outcome) => outcome === 'created').length
  if (created === 1) return
  throw unfit(store, `of ${outcomes.length} puts of one new object, ${how}, it says that ${created} made it`)
}

async function refuseUnlessKept(store: ObjectStore, path: string, writer: number): Promise<void> {
  const found = await store.get('probe.get', path)
  const wanted = contentOf(writer)
  if (found !== null && found.length === wanted.length && found.every((byte, i) => byte === wanted[i])) return
  throw unfit(store, 'it does not hold what the put wrote that made the object')
}

function unfit(store: ObjectStore, found: string): EngineError {
  return new EngineError(
    'E_STORE_UNFIT',
    'stop',
    `${store.location} cannot hold a lake: the store ignores If-None-Match, so writers could overwrite each other's ` +
      `commits (${found}); use a store, or a version of it, that knows conditional writes`,
  )
}
