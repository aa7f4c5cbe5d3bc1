import { type ChangeEvent, type TableId, tableName } from '../../schemas/change-event.ts'
import type { TableContract } from '../../schemas/contract.ts'
import { TablePatterns } from './table-patterns.ts'
import { feedsTable } from './topic-tables.ts'
import type { PipelineOptions } from './topic-work.ts'

/** What follows from a table's name and the topic by which it is told of. */
export interface EventRoute {
  readonly topic: string
  readonly contract: TableContract
  /** The pipeline takes the table. */
  readonly isTaken: boolean
  /** The topic is one of the table's. */
  readonly isFed: boolean
}

/** Where events go. It is worked out once: all events of a table that a topic's decoder makes name the same object. */
export class EventRoutes {
  readonly #options: PipelineOptions
  readonly #takes: TablePatterns
  readonly #known = new WeakMap<TableId, EventRoute>()

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#takes = TablePatterns.of(options.takes)
  }

  of({ table, at: { topic } }: ChangeEvent): EventRoute {
    const known = this.#known.get(table)
    if (known !== undefined && known.topic === topic) return known
    const contract = this.#options.contractFor(tableName(table))
    const isTaken = this.#takes.covers(contract.name)
    const route = { topic, contract, isTaken, isFed: feedsTable(topic, table, contract.topics) }
    this.#known.set(table, route)
    return route
  }
}
