import type { PipelineConfig } from '../../config/config.ts'
import type { SourceFacts } from '../source-facts.ts'
import type { TopicFact, TopicsFacts } from './chain-facts.ts'
import { type Found, findingsOf } from './finding.ts'

const { broken, risk } = findingsOf('topics')

/** Whoever is that near to what is thrown away loses it at the next mishap. */
const RETENTION_SHARE_MAX = 0.5
/** A weekend. */
const RETENTION_MS_MIN = 3 * 24 * 3_600_000

/** Whether the topics are there, keep their order and their records, and whether our tables keep up. */
export function* checkTopics(
  { topics }: TopicsFacts,
  pipeline: Pick<PipelineConfig, 'source' | 'tables'>,
  source: SourceFacts | null,
): Found {
  const globs = pipeline.source.kind === 'kafka' ? pipeline.source.topics.join(', ') : ''
  if (topics.length === 0) {
    yield broken(
      'no-topics',
      `no topic fits to ${globs}`,
      'correct `source.kafka.topics` (`alluvium topics` shows what there is), or wait for the first change: the connector makes a topic with its first record',
    )
    return
  }
  const fed = new Set(topics.flatMap(({ feeds }) => feeds))
  for (const [name, { skip }] of pipeline.tables) {
    if (skip === true || fed.has(name)) continue
    yield broken(
      'no-topic',
      `no topic feeds ${name}`,
      'add its topic to `source.kafka.topics`, or name it in `tables.<name>.topics` when it is not named after the table; a table without any change has none yet',
    )
  }
  for (const topic of topics) yield* topicFindings(topic, source)
}

function* topicFindings(topic: TopicFact, source: SourceFacts | null): Found {
  const { name, partitions, retentionMs, isCompacted, isDeleted, feeds } = topic
  const leaderless = partitions.filter(({ hasLeader }) => !hasLeader)
  if (leaderless.length > 0) {
    yield broken(
      'no-leader',
      `partition ${leaderless.map(({ partition }) => partition).join(', ')} of ${name} has no leader`,
      'bring the brokers back that hold it',
    )
  }
  for (const { partition, startOffset, endOffset, nextOffset } of partitions) {
    if (nextOffset === null) continue
    if (nextOffset < startOffset) {
      yield broken(
        'records-gone',
        `${name}/${partition} begins at ${startOffset}, and our tables stand at ${nextOffset}: ${startOffset - nextOffset} offsets were thrown away unread`,
        'take the rows anew from the source, then `alluvium table resume NAME --accept-gap`; keep records longer (retention.ms)',
      )
    } else if (nextOffset > endOffset) {
      yield broken(
        'topic-recreated',
        `${name}/${partition} ends at ${endOffset}, and our tables stand at ${nextOffset}: it was made anew`,
        `run \`alluvium checkpoint reset PIPELINE --topic ${name} --to earliest\``,
      )
    }
  }
  const lagMs = Math.max(0, ...partitions.map((each) => each.lagMs ?? 0))
  if (isDeleted && retentionMs !== null) {
    if (lagMs > retentionMs * RETENTION_SHARE_MAX) {
      yield broken(
        'lag-near-retention',
        `our tables are ${duration(lagMs)} behind in ${name}, which keeps records for ${duration(retentionMs)}`,
        `run kafka-configs --alter --entity-type topics --entity-name ${name} --add-config retention.ms=${retentionMs * 4} now, then look why it lags`,
      )
    } else if (retentionMs < RETENTION_MS_MIN) {
      yield risk(
        'short-retention',
        `${name} keeps records for ${duration(retentionMs)}: a process that stands still longer loses some`,
        `run kafka-configs --alter --entity-type topics --entity-name ${name} --add-config retention.ms=604800000`,
      )
    }
  }
  const keyless = feeds.filter((table) => source?.tables.get(table)?.key === null)
  if (partitions.length > 1 && keyless.length > 0) {
    yield broken(
      'keyless-order',
      `${keyless.join(', ')} has no key, and ${name} has ${partitions.length} partitions: its changes come out of order`,
      'give the table a key, or make its topic anew with one partition (`alluvium connector register` asks for that)',
    )
  }
  if (isCompacted && keyless.length > 0) {
    yield broken(
      'keyless-compacted',
      `${name} is compacted, and ${keyless.join(', ')} has no key: records are thrown away`,
      `run kafka-configs --alter --entity-type topics --entity-name ${name} --add-config cleanup.policy=delete`,
    )
  }
}

function duration(ms: number): string {
  const hours = ms / 3_600_000
  return hours < 1
    ? `${Math.round(ms / 60_000)} minutes`
    : hours < 48
      ? `${Math.round(hours)} hours`
      : `${Math.round(hours / 24)} days`
}
