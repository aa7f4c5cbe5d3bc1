import type { Clock, SourceDatabase } from '../../core/ports.ts'
import { throttle } from '../../dq/source-rows.ts'

/** How much may be asked of a source. */
export interface SourceLimits {
  readonly rowsPerSecond: number | null
  readonly bytesPerSecond: number | null
  /** Milliseconds that a replica may be behind. */
  readonly replicaLagMs: number | null
  /** Bytes of log that a replication slot may hold back. */
  readonly slotBytes: number | null
}

const LOOK_EVERY_MS = 5000

const STRAIN = `
SELECT (SELECT max(extract(epoch FROM replay_lag) * 1000) FROM pg_stat_replication)::int8 AS lag,
       (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots)::int8 AS retained`

/** Holds reading back, for all who read together. */
export class Pacing {
  readonly #clock: Clock
  readonly #database: SourceDatabase
  readonly #limits: SourceLimits
  readonly #say: (line: string) => void
  readonly #ofRows: (count: number) => Promise<void>
  readonly #ofBytes: (count: number) => Promise<void>
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | null = null

  /** @param say tells a person why nothing moves */
  constructor(clock: Clock, database: SourceDatabase, limits: SourceLimits, say: (line: string) => void) {
    this.#clock = clock
    this.#database = database
    this.#limits = limits
    this.#say = say
    this.#ofRows = throttle(clock, limits.rowsPerSecond)
    this.#ofBytes = throttle(clock, limits.bytesPerSecond)
  }

  /** To be called when so many rows have been read. @returns when more may be */
  async rows(count: number): Promise<void> {
    await this.#ofRows(count)
    const { replicaLagMs, slotBytes } = this.#limits
    if (replicaLagMs === null && slotBytes === null) return
    if (this.#clock.monotonicMs() - this.#lookedAtMs < LOOK_EVERY_MS) return
    this.#looking ??= this.#waitWhileStrained().finally(() => {
      this.#looking = null
    })
    await this.#looking
  }

  bytes(count: number): Promise<void> {
    return this.#ofBytes(count)
  }

  async #waitWhileStrained(): Promise<void> {
    for (let reason = await this.#strain(); reason !== null; reason = await this.#strain()) {
      this.#say(`reading waits: ${reason}\n`)
      await this.#clock.sleep(LOOK_EVERY_MS)
    }
    this.#lookedAtMs = this.#clock.monotonicMs()
  }

  async #strain(): Promise<string | null> {
    const { replicaLagMs, slotBytes } = this.#limits
    const [row] = await this.#database.query('backfill.strain', STRAIN)
    const [lagMs, retained] = [Number(row!['lag'] ?? 0), Number(row!['retained'] ?? 0)]
    if (replicaLagMs !== null && lagMs > replicaLagMs)
      return `a replica is ${Math.round(lagMs / 1000)} s behind`
    if (slotBytes !== null && retained > slotBytes) {
      return `a replication slot holds back ${Math.round(retained / 1024 ** 2)} MB of log`
    }
    return null
  }
}
