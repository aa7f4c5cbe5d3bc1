import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RawRecord } from '../../core/ports.ts'

/** A line of a recorded topic (design §4). */
interface RecordedLine {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key?: string | null
  readonly keyBase64?: string
  readonly value?: string | null
  readonly valueBase64?: string
  readonly headers: readonly (readonly [string, string | null])[]
}

/** Records of one recorded topic, in the order of its lines. */
export function readRecordedTopic(path: string): RawRecord[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => rawRecord(JSON.parse(line) as RecordedLine))
}

/** Every topic of a recording (a folder of `fixtures/debezium`), by topic name. */
export function readRecording(folder: string): Map<string, RawRecord[]> {
  const topics = new Map<string, RawRecord[]>()
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.jsonl')) continue
    topics.set(file.slice(0, -'.jsonl'.length), readRecordedTopic(join(folder, file)))
  }
  return topics
}

function rawRecord(line: RecordedLine): RawRecord {
  return {
    topic: line.topic,
    partition: line.partition,
    offset: BigInt(line.offset),
    timestampMs: line.timestamp,
    key: bytesOf(line.key, line.keyBase64),
    value: bytesOf(line.value, line.valueBase64),
    headers: line.headers.map(([name, value]) => [name, value === null ? null : Buffer.from(value)] as const),
  }
}

function bytesOf(text: string | null | undefined, base64: string | undefined): Uint8Array | null {
  if (base64 !== undefined) return Buffer.from(base64, 'base64')
  return text === null || text === undefined ? null : Buffer.from(text)
}
