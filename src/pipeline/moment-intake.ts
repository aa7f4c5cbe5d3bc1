import { EngineError } from '../../core/errors.ts'
import type { TableId } from '../../schemas/change-event.ts'
import { allDeferred, type MomentReport } from '../../writers/moment-rows.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { MomentRowsShelf, momentIdOf } from './moment-rows-shelf.ts'
import type { Partitions } from './partitions.ts'
import type { GiveOrder, WatchOrder } from './request.ts'
import type { TableFlushes } from './table-flushes.ts'
import type { TableOwner } from './table-owner.ts'
import type { TableOwners } from './table-owners.ts'
import type { ResumeAnswer } from './topic-work.ts'

export interface MomentIntakeOptions {
  readonly ports: TableLogPorts
  readonly pipeline: string
  readonly owners: TableOwners
  readonly partitions: Partitions
  readonly flushes: TableFlushes
}

/** How rows that were read of the source itself come into the tables of this process, between the batches of their streams. */
export class MomentIntake {
  readonly #options: MomentIntakeOptions
  readonly #shelf: MomentRowsShelf

  constructor(options: MomentIntakeOptions) {
    this.#options = options
    this.#shelf = new MomentRowsShelf(options.ports, options.pipeline)
  }

  /** Its answer's result is the name of the watch. */
  watch({ table, source }: WatchOrder): Promise<ResumeAnswer> {
    return this.#with(table, async (owner) => {
      const why = owner.writer === null ? await this.#open(owner, source) : null
      return why === null
        ? { outcome: 'done', message: '', result: await owner.writer!.watch() }
        : refused(why)
    })
  }

  /** Its answer's result is a `MomentReport`. */
  give({ table, rows: name, ...moment }: GiveOrder): Promise<ResumeAnswer> {
    return this.#with(table, async (owner) => {
      const rows = await this.#shelf.get(name)
      if (rows === null) return refused('the rows are gone')
      const given = { ...moment, id: momentIdOf(name), rows }
      const { writer } = owner
      if (writer === null)
        return { outcome: 'done', message: '', result: allDeferred(given, null, NOT_WATCHED) }
      const report = await writer.give(given, this.#options.partitions.feeding(owner))
      this.#tell(table, report)
      return { outcome: 'done', message: '', result: report }
    })
  }

  /** A table that no record has named in this run. @returns why it cannot be opened: that does not stop it */
  async #open(owner: TableOwner, source: TableId): Promise<string | null> {
    const { owners } = this.#options
    try {
      if ((await owners.standing(source)) === null) return 'there is no such table yet'
      await owners.open(owner, source)
      return null
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      return error.message
    }
  }

  /** A table that stops for what is done with it has stopped; the stream of no other is held up. */
  async #with(table: string, work: (owner: TableOwner) => Promise<ResumeAnswer>): Promise<ResumeAnswer> {
    const { owners, partitions, flushes } = this.#options
    const owner = owners.named(table)
    if (owner === null || !partitions.has(owner)) return { outcome: 'not-mine', message: '' }
    const why = whyNot(owner)
    if (why !== null) return refused(why)
    try {
      return await work(owner)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      if (error.remedy === 'stop-table') flushes.stop(owner, error)
      else if (error.remedy !== 'retry') throw error
      return refused(error.message)
    }
  }

  #tell(table: string, { version, counts, unchanged, deferred }: MomentReport): void {
    const fields = { table, version, ...counts, unchanged, deferred: deferred.length }
    this.#options.ports.logger.info(
      { event: 'table.rows-given', ...fields },
      'took rows of the source itself',
    )
  }
}

const NOT_WATCHED = 'the table has another owner by now'

/** @returns why the table takes nothing but its stream now; `null`: it does */
function whyNot({ contract, stopped, isHeld, catchUp }: TableOwner): string | null {
  if (contract.spread !== undefined) {
    return 'several processes write the table (spread: partitions); stop them, and do it again'
  }
  if (stopped !== null) return `the table has stopped: ${stopped.message}`
  if (isHeld) return 'the table is paused'
  return catchUp === null
    ? null
    : 'the table takes what it missed while it stood still; try again when it has'
}

function refused(message: string): ResumeAnswer {
  return { outcome: 'refused', message }
}
