import type { Fact, StoreOp } from '../../core/fact.ts'

export interface Latency {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What a run asked of its store, and how long it took. */
export interface RequestTimes {
  /** By kind of request. */
  readonly requests: Readonly<Partial<Record<StoreOp, Latency>>>
  /** The put of a log entry that made a batch visible. */
  readonly logEntry: Latency
  /** From the turn of a batch to its being visible. */
  readonly commit: Latency
}

/** Listens to what is told of requests and commits. */
export class RequestClock {
  readonly #requests = new Map<StoreOp, number[]>()
  readonly #logEntries: number[] = []
  readonly #commits: number[] = []

  readonly observe = (fact: Fact): void => {
    if (fact.kind === 'batch-committed') this.#commits.push(fact.durationMs)
    if (fact.kind !== 'store-request') return
    const times = this.#requests.get(fact.op)
    if (times === undefined) this.#requests.set(fact.op, [fact.durationMs])
    else times.push(fact.durationMs)
    if (fact.site === 'log.put') this.#logEntries.push(fact.durationMs)
  }

  get times(): RequestTimes {
    return {
      requests: Object.fromEntries([...this.#requests].map(([op, times]) => [op, latencyOf(times)])),
      logEntry: latencyOf(this.#logEntries),
      commit: latencyOf(this.#commits),
    }
  }
}

function latencyOf(times: readonly number[]): Latency {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => Number((sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(2))
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}
