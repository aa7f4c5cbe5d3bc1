import type { KafkaMessage } from 'kafkajs'
import type { RawRecord } from '../../core/ports.ts'

type Header = RawRecord['headers'][number]

/** A message of kafkajs as a record. Its bytes are not copied: they lie in the buffer of the fetch. */
export function recordOf(topic: string, partition: number, message: KafkaMessage): RawRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: message.headers === undefined ? [] : headersOf(message.headers),
  }
}

/** Key, value and headers, as a broker counts them. */
export function sizeOf({ key, value, headers }: RawRecord): number {
  let size = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, bytes] of headers) size += name.length + (bytes?.length ?? 0)
  return size
}

/** The library keeps them by name: equal names stand together, in their order. */
function headersOf(headers: NonNullable<KafkaMessage['headers']>): Header[] {
  const pairs: Header[] = []
  for (const [name, values] of Object.entries(headers)) {
    for (const value of Array.isArray(values) ? values : [values]) pairs.push([name, bytesOf(value)])
  }
  return pairs
}

function bytesOf(value: Buffer | string | null | undefined): Uint8Array | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? Buffer.from(value) : value
}
