import { EngineError } from '../../core/errors.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import type { FlushReport } from '../../writers/table-writer.ts'
import { addTally, type Tally } from '../../writers/tally.ts'
import type { BatchBounds } from '../config/config.ts'
import type { LetterBox } from './letter-box.ts'
import type { Maintenance } from './maintenance.ts'
import type { TableOwner } from './table-owner.ts'
import type { TableOwners } from './table-owners.ts'

export interface TableFlushesOptions {
  readonly ports: TableLogPorts
  readonly batch: BatchBounds
  readonly owners: TableOwners
  readonly letters: LetterBox
  readonly maintenance: Maintenance
  /** Where records are counted. */
  readonly tally: Tally
  /** Bytes of raw records that all tables together may hold. */
  readonly bytesMax: number
}

/** How what tables hold becomes durable, and how a table ends that cannot go on. */
export class TableFlushes {
  readonly #options: TableFlushesOptions

  constructor(options: TableFlushesOptions) {
    this.#options = options
  }

  /** Flushes what has reached its age, and the fullest tables while all together hold too much. */
  async flushDue(): Promise<void> {
    const { batch, owners, letters, bytesMax } = this.#options
    if (letters.isDue(batch)) await letters.flush()
    for (const owner of owners) {
      if ((owner.writer?.buffered.ageMs ?? 0) >= batch.ageMs) await this.flush(owner)
    }
    const fullest = [...owners].sort((a, b) => b.bufferedBytes - a.bufferedBytes)
    let total = fullest.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0)
    for (const owner of fullest) {
      if (total <= bytesMax) break
      total -= owner.bufferedBytes
      await this.makeRoom(owner)
    }
  }

  async flushAll(): Promise<void> {
    for (const owner of this.#options.owners) await this.makeRoom(owner)
    await this.#options.letters.flush()
  }

  isFull({ writer }: TableOwner): boolean {
    const { rows, bytes } = this.#options.batch
    return writer !== null && (writer.buffered.count >= rows || writer.buffered.sizeBytes >= bytes)
  }

  /** Nothing is left buffered: it is durable, or, of a table that is held, it stays in the topic with all that follows. */
  async makeRoom(owner: TableOwner): Promise<void> {
    if (!owner.isHeld || owner.stopped !== null) return this.flush(owner)
    if ((owner.writer?.buffered.count ?? 0) > 0) await this.stop(owner, pausedError(owner))
  }

  /** Letters first: a table never passes a record that is in neither. */
  async flush(owner: TableOwner): Promise<void> {
    const { writer } = owner
    if (writer === null || owner.stopped !== null || owner.isHeld || writer.buffered.count === 0) return
    await this.#options.letters.flush()
    const count = writer.buffered.count
    await this.guarded(
      owner,
      async () => {
        const report = await writer.flush(owner.positions())
        addTally(this.#options.tally, report.tally)
        owner.note(report)
        this.#warnOf(owner, report)
        this.#options.maintenance.after(owner)
      },
      () => this.park(count),
    )
  }

  /** An error that concerns one table stops that table; what it had not made durable stays in the topic. */
  async guarded(owner: TableOwner, work: () => Promise<void>, onStop = () => this.park(1)): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof EngineError) || error.remedy !== 'stop-table') throw error
      await this.stop(owner, error)
      onStop()
    }
  }

  /** Stops a table, unless it stands already. What it was given before is made durable first, if that may be. */
  async stop(owner: TableOwner, error: EngineError): Promise<void> {
    await this.flush(owner)
    if (owner.stopped !== null) return
    const { logger } = this.#options.ports
    const fields = { table: owner.contract.name, code: error.code }
    if (error.code === 'E_PAUSED') logger.info(fields, error.message)
    else logger.error(fields, error.message)
    this.park(owner.writer?.buffered.count ?? 0)
    owner.stopped = error
    owner.writer = owner.isHeld ? null : owner.writer
    owner.catchUp = null
  }

  park(count: number): void {
    this.#options.tally.parked += count
  }

  /** What went in otherwise than a person may expect. */
  #warnOf(
    { contract: { name: table } }: TableOwner,
    { unmatchedRows, ambiguousKeyMoves }: FlushReport,
  ): void {
    const { logger } = this.#options.ports
    for (const { at, key } of ambiguousKeyMoves) {
      const place = { topic: at.topic, partition: at.partition, offset: String(at.offset) }
      const values = key?.values.map(String) ?? []
      logger.warn(
        { table, ...place, key: values },
        'an ambiguous key move; REPLICA IDENTITY FULL tells them apart',
      )
    }
    if (unmatchedRows > 0) {
      const why = 'rows to delete were not found: columns were added with a default, or are generated'
      logger.warn({ table, rows: unmatchedRows }, why)
    }
  }
}

/** A table that is held has no room left for what its topics tell. */
function pausedError({ contract: { name } }: TableOwner): EngineError {
  return new EngineError(
    'E_PAUSED',
    'stop-table',
    'the table is paused; its records stay in the topic, and it takes them when the pause ends ' +
      `(alluvium table resume ${name} ends it now)`,
    { table: name },
  )
}
