import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { METRICS, type MetricDefinition, type MetricName } from './metric-list.ts'

export type Labels = Readonly<Record<string, string | number>>

/** The metrics of one process, in a registry of their own: whoever embeds the engine keeps theirs apart. */
export class MetricRegistry {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter>()
  readonly #gauges = new Map<string, Gauge>()
  readonly #histograms = new Map<string, Histogram>()

  constructor() {
    for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
      const { kind, help, labels = [], buckets = [] } = definition
      const options = { name, help, labelNames: [...labels], registers: [this.#registry] }
      if (kind === 'counter') this.#counters.set(name, new Counter(options))
      else if (kind === 'gauge') this.#gauges.set(name, new Gauge(options))
      else this.#histograms.set(name, new Histogram({ ...options, buckets: [...buckets] }))
    }
  }

  /** What Node says of itself: loop delay, memory, garbage collection. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  /** By 0: the series is there before anything happens. */
  add(name: MetricName, labels: Labels, count: number): void {
    this.#counters.get(name)!.inc(labels, count)
  }

  set(name: MetricName, labels: Labels, value: number): void {
    this.#gauges.get(name)!.set(labels, value)
  }

  /** All series of a gauge go: those that still hold are set anew. */
  clear(name: MetricName): void {
    this.#gauges.get(name)!.reset()
  }

  record(name: MetricName, labels: Labels, value: number): void {
    this.#histograms.get(name)!.observe(labels, value)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
