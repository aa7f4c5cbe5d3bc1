import { z } from 'zod'
import { EngineError } from '../../core/errors.ts'
import type { TableId } from '../../schemas/change-event.ts'
import {
  allDeferred,
  type MomentReport,
  type MomentRows,
  type MomentRowsTaker,
} from '../../writers/moment-rows.ts'
import { MomentRowsShelf, momentIdOf } from '../pipeline/moment-rows-shelf.ts'
import type { Answer, Ask } from '../pipeline/request.ts'
import { RequestBox } from '../pipeline/request-box.ts'
import { type AskPorts, askProcesses } from './ask-processes.ts'

export interface AskedTable {
  /** `schema.table`. */
  readonly name: string
  readonly source: TableId
  readonly pipeline: string
}

export interface AskedOwnerOptions {
  /** How long a process may take to answer, milliseconds. */
  readonly waitMs: number
  readonly signal: AbortSignal
}

const count = z.int().min(0)

const reportSchema = z.object({
  version: count.nullable(),
  counts: z.object({ inserted: count, updated: count, deleted: count }),
  unchanged: count,
  deferred: z.array(count),
  why: z.string().nullable(),
})

/** The owner of a table in another process, which runs the pipeline: it is asked through the lake. */
export class AskedOwner implements MomentRowsTaker {
  readonly #ports: AskPorts
  readonly #table: AskedTable
  readonly #options: AskedOwnerOptions
  readonly #shelf: MomentRowsShelf

  constructor(ports: AskPorts, table: AskedTable, options: AskedOwnerOptions) {
    this.#ports = ports
    this.#table = table
    this.#options = options
    this.#shelf = new MomentRowsShelf(ports, table.pipeline)
  }

  /** @throws EngineError `E_NO_OWNER` (stop) when no process takes rows for the table; `E_NO_ANSWER` (stop) */
  async watch(): Promise<string> {
    await this.#shelf.sweep()
    const { name, source } = this.#table
    const answer = await this.#ask({ kind: 'watch', table: name, source })
    if (answer?.outcome !== 'done') throw this.#noOwner(answer)
    return z.string().parse(answer.result)
  }

  /** @throws EngineError `E_NO_ANSWER` (stop): whether it will be done is not known, and it does no harm */
  async give({ rows, ...moment }: Omit<MomentRows, 'id'>): Promise<MomentReport> {
    const name = await this.#shelf.put(rows)
    try {
      const answer = await this.#ask({ kind: 'give', table: this.#table.name, ...moment, rows: name })
      if (answer?.outcome === 'done') return reportSchema.parse(answer.result)
      const given = { ...moment, id: momentIdOf(name), rows }
      return allDeferred(given, null, answer?.message ?? 'no process has the table any more')
    } finally {
      await this.#shelf.delete(name)
    }
  }

  /** @returns what the process that has the table answered; `null`: none has it */
  async #ask(ask: Ask): Promise<Answer | null> {
    const { waitMs, signal } = this.#options
    const { pipeline } = this.#table
    const { request, answers } = await askProcesses(this.#ports, pipeline, {
      ask,
      lifeMs: waitMs,
      waitMs,
      signal,
    })
    await new RequestBox(this.#ports, pipeline).clear(request)
    const done = answers.find(({ outcome }) => outcome === 'done')
    return done ?? answers.find(({ outcome }) => outcome === 'refused') ?? null
  }

  #noOwner(answer: Answer | null): EngineError {
    const { name, pipeline } = this.#table
    const why =
      answer?.message ?? `no process of pipeline ${pipeline} has the table yet; try again in a minute`
    return new EngineError('E_NO_OWNER', 'stop', `nobody takes rows for ${name}: ${why}`)
  }
}
