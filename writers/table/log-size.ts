import type { ObjectInfo, ObjectStore } from '../../core/ports.ts'
import { parseLastCheckpoint } from '../delta/last-checkpoint.ts'
import { beforeVersion, lastCheckpointPath, logPrefix, parseLogPath } from '../delta/log-path.ts'

/** What the newest part of a table's log tells of its cost. */
export interface LogSize {
  /** What a reader of the newest version must read: the newest checkpoint and the entries after it. */
  readonly logBytes: number
  /** Reckoned from the commits since that checkpoint; `null`: there are too few of them. */
  readonly requestsPerDay: number | null
}

const DAY_MS = 86_400_000

/** Of a commit with rows: data file, deletion vectors, log entry, and the look at the entry a while later. */
const REQUESTS_PER_COMMIT = 4

/** Fewer say nothing about a day. */
const COMMITS_MIN = 10

export async function readLogSize(store: ObjectStore, tablePath: string): Promise<LogSize> {
  const pointer = await store.get('log.last-checkpoint.get', lastCheckpointPath(tablePath))
  const checkpoint = (pointer === null ? undefined : parseLastCheckpoint(pointer)) ?? 0
  const objects = await store.list('log.list', logPrefix(tablePath), beforeVersion(tablePath, checkpoint))
  const needed = objects.filter(({ path }) => {
    const file = parseLogPath(path)
    if (file?.kind === 'commit') return pointer === null || file.version > checkpoint
    return file?.kind === 'checkpoint' && file.version === checkpoint
  })
  const commits = needed.filter(({ path }) => parseLogPath(path)!.kind === 'commit')
  const logBytes = needed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return { logBytes, requestsPerDay: requestsPerDay(commits) }
}

function requestsPerDay(commits: readonly ObjectInfo[]): number | null {
  const times = commits.map(({ modifiedMs }) => modifiedMs)
  const spanMs = Math.max(...times) - Math.min(...times)
  if (commits.length < COMMITS_MIN || spanMs <= 0) return null
  return Math.round(((commits.length - 1) / spanMs) * DAY_MS * REQUESTS_PER_COMMIT)
}
