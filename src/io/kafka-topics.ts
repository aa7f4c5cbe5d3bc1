import type { Admin } from 'kafkajs'
import type { PartitionRange } from '../../core/ports.ts'
import { matchesGlob } from '../pipeline/topic-tables.ts'

/** Topics that any of the globs names, in order of name; those of Kafka itself are never among them. */
export function selectTopics(topics: readonly string[], globs: readonly string[]): readonly string[] {
  return topics.filter((topic) => !isInternal(topic) && globs.some((glob) => matchesGlob(topic, glob))).sort()
}

/** Of Kafka (`__consumer_offsets`), of its schema registry, of Connect's own bookkeeping by its usual names. */
function isInternal(topic: string): boolean {
  return topic.startsWith('__') || topic === '_schemas' || /^_?connect-(configs|offsets|status)$/.test(topic)
}

/**
 * What can be read of a topic: from the first record that is kept to the last stable offset, behind which transactions
 * are still open. Empty when the topic is gone.
 */
export async function rangesOf(admin: Admin, topic: string): Promise<readonly PartitionRange[]> {
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets.map(({ partition, low, high }) => ({
      topic,
      partition,
      startOffset: BigInt(low),
      endOffset: BigInt(high),
    }))
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

export function isGone(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ((each as { readonly type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION') return true
  }
  return false
}
