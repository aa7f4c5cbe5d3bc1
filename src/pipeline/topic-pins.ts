import { EngineError } from '../../core/errors.ts'
import type { PartitionRange } from '../../core/ports.ts'

/** Topics that may feed one table, by what they have in common. */
interface Bundle {
  readonly topics: Set<string>
  readonly ties: Set<string>
}

/**
 * Which of some threads does the work on a topic: topics that may feed one table go to one and the same, since a table
 * has one writer. Pins hold as long as the process runs.
 */
export class TopicPins {
  readonly #tiesOf: (topic: string) => readonly string[]
  /** Records of the topics of each thread when they came. */
  readonly #loads: number[]
  readonly #threadOfTie = new Map<string, number>()
  readonly #threadOfTopic = new Map<string, number>()

  /** @param tiesOf topics that share one of these may feed one table */
  constructor(threads: number, tiesOf: (topic: string) => readonly string[]) {
    this.#tiesOf = tiesOf
    this.#loads = Array.from({ length: threads }, () => 0)
  }

  threadOf(topic: string): number | null {
    return this.#threadOfTopic.get(topic) ?? null
  }

  /**
   * Pins all topics that are not, the heaviest first to where there is least.
   *
   * @throws EngineError `E_TOPIC_TIES` (stop) when a topic ties together what different threads have
   */
  pin(ranges: readonly PartitionRange[]): void {
    const counts = new Map<string, number>()
    for (const { topic, startOffset, endOffset } of ranges) {
      counts.set(topic, (counts.get(topic) ?? 0) + Number(endOffset - startOffset))
    }
    const fresh = [...counts.keys()].filter((topic) => !this.#threadOfTopic.has(topic)).sort()
    const weightOf = ({ topics }: Bundle) =>
      [...topics].reduce((sum, topic) => sum + (counts.get(topic) ?? 0), 1)
    const weighed = this.#bundlesOf(fresh).map((bundle) => ({ bundle, weight: weightOf(bundle) }))
    weighed.sort((a, b) => b.weight - a.weight)
    for (const { bundle, weight } of weighed) {
      const thread = this.#threadFor(bundle)
      this.#loads[thread]! += weight
      for (const tie of bundle.ties) this.#threadOfTie.set(tie, thread)
      for (const topic of bundle.topics) this.#threadOfTopic.set(topic, thread)
    }
  }

  #bundlesOf(topics: readonly string[]): readonly Bundle[] {
    const bundleOf = new Map<string, Bundle>()
    for (const topic of topics) {
      const bundle: Bundle = { topics: new Set([topic]), ties: new Set(this.#tiesOf(topic)) }
      for (const tied of new Set([...bundle.ties].map((tie) => bundleOf.get(tie)))) {
        for (const each of tied?.topics ?? []) bundle.topics.add(each)
        for (const tie of tied?.ties ?? []) bundle.ties.add(tie)
      }
      for (const tie of bundle.ties) bundleOf.set(tie, bundle)
    }
    return [...new Set(bundleOf.values())]
  }

  #threadFor({ topics, ties }: Bundle): number {
    const known = new Set([...ties].flatMap((tie) => this.#threadOfTie.get(tie) ?? []))
    if (known.size > 1) {
      throw new EngineError(
        'E_TOPIC_TIES',
        'stop',
        `a new topic feeds tables that were written side by side until now: start again; topics: ${[...topics].join(', ')}`,
      )
    }
    const [thread] = known
    return thread ?? this.#loads.indexOf(Math.min(...this.#loads))
  }
}
