import type { ChainFacts } from './chain-facts.ts'
import type { Hop } from './finding.ts'

/** Why a hop was not looked at: nothing names it, and what would, or what it stands on did not answer. */
export function whySkipped(hop: Hop, { source, pipeline, store, upstream }: ChainFacts): string {
  switch (hop) {
    case 'topics':
    case 'group':
      if (pipeline.source.kind === 'files') return 'the pipeline reads files'
      return store.kind === 'known' ? 'the brokers did not answer' : 'the store did not answer'
    case 'tables':
      return 'the store did not answer'
    case 'connector':
      return upstream.connector.kind === 'redpanda'
        ? 'Redpanda Connect has no such interface'
        : 'no Kafka Connect is named (connector.url)'
    default:
      return source.kind === 'unnamed'
        ? 'no database is named (POSTGRES_CONNECTION_STRING)'
        : 'the database did not answer'
  }
}
