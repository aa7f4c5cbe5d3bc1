import type { KafkaMessage } from 'kafkajs'

/** What is kept of the last record that was read of a partition, to know the partition again by it. */
export interface KnownRecord {
  readonly offset: bigint
  readonly timestamp: string
  readonly key: Buffer | null
  /** Bytes; -1: none. */
  readonly valueLength: number
}

/** The key is copied: it lies in the buffer of a whole fetch. */
export function knownRecord({ offset, timestamp, key, value }: KafkaMessage): KnownRecord {
  return {
    offset: BigInt(offset),
    timestamp,
    key: key === null ? null : Buffer.from(key),
    valueLength: value?.length ?? -1,
  }
}

/** Whether a record is the one that was known; one that is missing is not. */
export function isKnown(known: KnownRecord, message: KafkaMessage | undefined): boolean {
  if (message === undefined || BigInt(message.offset) !== known.offset) return false
  if (message.timestamp !== known.timestamp || (message.value?.length ?? -1) !== known.valueLength)
    return false
  if (message.key === null || known.key === null) return message.key === known.key
  return known.key.equals(message.key)
}
