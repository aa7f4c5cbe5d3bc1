import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import { joinTablePath } from './log-path.ts'

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/

/**
 * Where the object of an `add`, `remove` or `cdc` lies in the store: the path of the log, decoded once.
 *
 * @param logPath URI-encoded, from the table's root; an absolute URI only when it points into this store
 * @throws EngineError `E_FILE_PATH` (stop-table) when it is badly encoded or points outside
 * @see RFC 2396; delta-protocol §2.3, §14 trap 9
 */
export function objectPath(store: ObjectStore, tablePath: string, logPath: string): string {
  const decoded = decodeOnce(logPath)
  if (decoded.split('/').includes('..')) throw refused(logPath, 'it climbs out of its directory')
  if (!SCHEME.test(logPath) && !logPath.startsWith('/')) return joinTablePath(tablePath, decoded)
  const root = `${store.location.replace(/\/+$/, '')}/`
  for (const absolute of [decoded, decoded.replace(/^file:(\/\/)?/, '')]) {
    if (absolute.startsWith(root)) return absolute.slice(root.length)
  }
  throw refused(logPath, `it lies outside of ${store.location}`)
}

function decodeOnce(logPath: string): string {
  try {
    return decodeURIComponent(logPath)
  } catch {
    throw refused(logPath, 'its %-escapes are broken')
  }
}

function refused(logPath: string, why: string): EngineError {
  return new EngineError(
    'E_FILE_PATH',
    'stop-table',
    `the log names the file ${logPath}, which cannot be read: ${why}. Rewrite the table in place (a deep clone, or ` +
      'OPTIMIZE with the engine that wrote it)',
  )
}
