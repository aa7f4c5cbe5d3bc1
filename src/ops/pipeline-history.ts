import type { BatchCommitted, Fact } from '../../core/fact.ts'
import { History, POINT_EVERY_MS } from './history.ts'
import { lagSeconds } from './lag.ts'
import type { WatchedSample } from './pipeline-sample.ts'

const COMMITS_MAX = 50

/** What the status page draws: the last ten minutes, the last commits. */
export class PipelineHistory {
  readonly times = new History()
  readonly events = new History()
  readonly lags = new History()
  readonly held = new History()
  readonly eventsOf = new Map<string, History>()
  readonly #totals = new Map<string, number>()
  readonly #commits: BatchCommitted[] = []
  readonly #startedMs: number
  /** Events since the last point, by table. */
  #fresh = new Map<string, number>()

  constructor(startedMs: number) {
    this.#startedMs = startedMs
  }

  /** Newest first. */
  get commits(): readonly BatchCommitted[] {
    return this.#commits
  }

  /** Events of a table that are durable since the start. */
  totalOf(table: string): number {
    return this.#totals.get(table) ?? 0
  }

  observe(fact: Fact): void {
    if (fact.kind !== 'batch-committed') return
    const { table, events } = fact
    this.#totals.set(table, this.totalOf(table) + events)
    this.#fresh.set(table, (this.#fresh.get(table) ?? 0) + events)
    this.#commits.unshift(fact)
    if (this.#commits.length > COMMITS_MAX) this.#commits.pop()
  }

  /** To be called every `POINT_EVERY_MS`. */
  take({ atMs, work }: WatchedSample): void {
    const fresh = this.#fresh
    this.#fresh = new Map()
    let events = 0
    let lag = 0
    for (const table of work.tables) {
      const history = this.eventsOf.get(table.name) ?? new History()
      this.eventsOf.set(table.name, history)
      const count = fresh.get(table.name) ?? 0
      history.add(perSecond(count))
      events += count
      lag = Math.max(lag, lagSeconds(table, atMs, this.#startedMs))
    }
    this.times.add(Math.round(atMs / 1000))
    this.events.add(perSecond(events))
    this.lags.add(lag)
    this.held.add(work.heldBytes)
  }
}

function perSecond(count: number): number {
  return (count * 1000) / POINT_EVERY_MS
}
