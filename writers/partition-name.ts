const latest = { topic: '', partition: -1, name: '' }

/**
 * `topic/partition`; Kafka's topic names hold no slash. Events of a partition come one after another: the text is not
 * made anew for each.
 */
export function partitionName(topic: string, partition: number): string {
  if (partition !== latest.partition || topic !== latest.topic) {
    latest.topic = topic
    latest.partition = partition
    latest.name = `${topic}/${partition}`
  }
  return latest.name
}
