import { messageOf } from '../core/errors.ts'
import type { Clock, Logger, ObjectStore } from '../core/ports.ts'
import type { RemoveFile } from './delta/actions.ts'
import { type SinceCheckpoint, shouldCheckpoint, writeCheckpoint } from './delta/checkpoint.ts'
import { allowsCleanup, cleanLog } from './delta/log-cleanup.ts'
import { type TableSnapshot, withFewerTombstones, withoutExpiredTombstones } from './delta/snapshot.ts'
import { SupersededCheckpoints } from './delta/superseded-checkpoints.ts'
import { Pace } from './pace.ts'
import { type Expiry, expireEntries, expireTombstones } from './table/expire-files.ts'

/** Removed files that a checkpoint sums up and a writer holds in memory, about half a kilobyte each. */
const TOMBSTONES_MAX = 100_000

/** A log whose newest version is known, and which tombstones of it are to be forgotten. */
export interface KeptLog {
  readonly tablePath: string
  readonly snapshot: TableSnapshot | null
  /** Takes a snapshot of the same version that remembers fewer removed files. */
  forgetTombstones(without: (snapshot: TableSnapshot) => TableSnapshot): void
}

interface UpkeepPorts {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly logger: Logger
}

/** Sums a log up in checkpoints and deletes what is no longer needed: old entries and, when it is told to, removed files. */
export class LogUpkeep {
  readonly #ports: UpkeepPorts
  readonly #log: KeptLog
  /** Counted from the last checkpoint that anybody made. */
  readonly #since: { -readonly [K in keyof SinceCheckpoint]: number }
  readonly #superseded: SupersededCheckpoints
  #isRunning = false
  #hasWarned = false

  constructor(ports: UpkeepPorts, log: KeptLog, since: SinceCheckpoint) {
    this.#ports = ports
    this.#log = log
    this.#since = { ...since }
    this.#superseded = new SupersededCheckpoints(ports.store, log.tablePath)
  }

  /** Of the entries since the last checkpoint. */
  get bytesSinceCheckpoint(): number {
    return this.#since.jsonBytes
  }

  /** A commit of so many bytes is in the log. */
  count(sizeBytes: number): void {
    this.#since.commits++
    this.#since.jsonBytes += sizeBytes
  }

  /**
   * Does what is due. May run beside commits, which do not wait for it. Upkeep that fails costs readers time, never a
   * commit; the next call tries again.
   *
   * @param mayDelete asked before removed files are deleted; `null`: they are somebody else's business
   * @returns whether it was due
   */
  async runWhenDue(mayDelete: (() => boolean) | null): Promise<boolean> {
    if (this.#isRunning || this.#log.snapshot === null || !shouldCheckpoint(this.#since)) return false
    this.#isRunning = true
    await this.#watch('the upkeep of the log failed', () => this.#run({ ...this.#since }, mayDelete))
    this.#isRunning = false
    return true
  }

  async #run(counted: SinceCheckpoint, mayDelete: (() => boolean) | null): Promise<void> {
    const { store, clock } = this.#ports
    const { tablePath } = this.#log
    const nowMs = clock.nowMs()
    const pace = new Pace(clock, new AbortController().signal)
    const expiry = mayDelete === null ? null : { store, tablePath, nowMs, pace, mayDelete }
    if (expiry === null) this.#log.forgetTombstones((snapshot) => withoutExpiredTombstones(snapshot, nowMs))
    else await this.#watch('removed files could not be deleted', () => this.#expire(expiry))
    this.#log.forgetTombstones((snapshot) => withFewerTombstones(snapshot, TOMBSTONES_MAX))
    const snapshot = this.#log.snapshot!
    if (snapshot.tombstones.size > TOMBSTONES_MAX) this.#warnOfTombstones(snapshot.tombstones.size)
    await writeCheckpoint(store, tablePath, snapshot, nowMs, pace)
    this.#since.commits -= counted.commits
    this.#since.jsonBytes -= counted.jsonBytes
    if (allowsCleanup(snapshot)) await this.#superseded.deleteBefore(snapshot.version, nowMs)
    const beforeEntries = (from: number, to: number) =>
      expiry === null ? Promise.resolve(true) : expireEntries({ from, to }, snapshot, expiry)
    await cleanLog(store, tablePath, snapshot, nowMs, beforeEntries)
  }

  /** The files go first and their tombstones after them: whoever is cut off in between finds them named still. */
  async #expire(expiry: Expiry): Promise<void> {
    const expired = await expireTombstones(this.#log.snapshot!, expiry)
    this.#log.forgetTombstones((snapshot) => withoutTombstones(snapshot, expired))
  }

  async #watch(trouble: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#ports.logger.warn(
        { event: 'log.upkeep-failed', table: this.#log.tablePath, error: messageOf(error) },
        trouble,
      )
    }
  }

  #warnOfTombstones(tombstones: number): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#ports.logger.warn(
      { event: 'log.tombstones', table: this.#log.tablePath, tombstones },
      'the log remembers many removed files, which costs memory and time at every checkpoint; commit less often ' +
        "(freshness), or shorten the table's property delta.deletedFileRetentionDuration",
    )
  }
}

/** A file that was brought back meanwhile, and removed again, has a tombstone of its own. */
function withoutTombstones(snapshot: TableSnapshot, expired: ReadonlyMap<string, RemoveFile>): TableSnapshot {
  if (expired.size === 0) return snapshot
  const { tombstones } = snapshot
  const known = [...expired].flatMap(([key, remove]) => (tombstones.get(key) === remove ? [key] : []))
  return { ...snapshot, tombstones: tombstones.derive(new Map(), known) }
}
