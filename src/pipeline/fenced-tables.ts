import type { ChangeSource, Clock, Logger } from '../../core/ports.ts'
import type { TopicWork } from './topic-work.ts'

/** A group that has counted us out tells us so by then, or is asked again. */
const ASK_AGAIN_MS = 2000

/**
 * Tables that another writer has fenced. Either we were taken for dead and did not know, and the tables are that one's
 * until we are given them anew; or they are ours, and a former owner's last commit has come late.
 */
export class FencedTables {
  readonly #ports: { readonly clock: Clock; readonly logger: Logger }
  readonly #source: ChangeSource
  readonly #work: TopicWork
  #dueAtMs = Number.NEGATIVE_INFINITY

  constructor(
    ports: { readonly clock: Clock; readonly logger: Logger },
    source: ChangeSource,
    work: TopicWork,
  ) {
    this.#ports = ports
    this.#source = source
    this.#work = work
  }

  /** @returns whether they go on */
  async step(tables: readonly string[]): Promise<boolean> {
    const { clock, logger } = this.#ports
    if (tables.length === 0 || clock.monotonicMs() < this.#dueAtMs) return false
    if (await this.#source.stillHolds()) {
      await this.#work.followFormerOwners()
      return true
    }
    this.#dueAtMs = clock.monotonicMs() + ASK_AGAIN_MS
    logger.warn(
      { event: 'table.given-up', tables },
      'the tables have another owner; they go on when they are given to us again',
    )
    return false
  }
}
