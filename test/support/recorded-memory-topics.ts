import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MemoryTopics } from './memory-topics.ts'

/** Writes topics as recorded ones, a file each: with the offsets that they have in memory. */
export function writeMemoryTopics(directory: string, topics: MemoryTopics): void {
  const lines = new Map<string, string[]>()
  for (const { topic, partition, offset, timestampMs, key, value } of [
    ...topics.partitions.values(),
  ].flat()) {
    const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
    const place = { topic, partition, offset: Number(offset) }
    const time = { timestamp: timestampMs, timestampType: 'create' }
    const line = JSON.stringify({ ...place, ...time, key: text(key), value: text(value), headers: [] })
    lines.set(topic, [...(lines.get(topic) ?? []), `${line}\n`])
  }
  for (const [topic, each] of lines) writeFileSync(join(directory, `${topic}.jsonl`), each.join(''))
}
