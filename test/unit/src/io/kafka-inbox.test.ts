import { expect, test } from 'vitest'
import type { RecordBatch } from '../../../../core/ports.ts'
import { KafkaInbox } from '../../../../src/io/kafka-inbox.ts'

const batch = (topic: string, sizeBytes: number): RecordBatch => ({
  topic,
  partition: 0,
  records: [],
  nextOffset: 1n,
  sizeBytes,
})

test('is full at its bound and has room again at half of it', async () => {
  const inbox = new KafkaInbox(100)
  inbox.push({ kind: 'batch', batch: batch('a', 60) })
  expect([inbox.isFull, inbox.hasRoom]).toEqual([false, false])
  inbox.push({ kind: 'batch', batch: batch('a', 40) })
  expect(inbox.isFull).toBe(true)
  await inbox.take(0)
  expect([inbox.isFull, inbox.hasRoom]).toEqual([false, true])
})

test('gives things out in the order in which they came, and null when nothing comes', async () => {
  const inbox = new KafkaInbox(100)
  const waiting = inbox.take(5000)
  inbox.push({ kind: 'revoked', partitions: [] })
  inbox.push({ kind: 'batch', batch: batch('a', 1) })
  expect((await waiting)?.kind).toBe('revoked')
  expect((await inbox.take(0))?.kind).toBe('batch')
  expect(await inbox.take(1)).toBeNull()
})

test('forgets batches of partitions that went, and their bytes', async () => {
  const inbox = new KafkaInbox(100)
  inbox.push({ kind: 'batch', batch: batch('a', 90) })
  inbox.push({ kind: 'batch', batch: batch('b', 20) })
  inbox.push({ kind: 'assigned', partitions: [] })
  inbox.dropBatches(({ topic }) => topic === 'a')
  expect(inbox.isFull).toBe(false)
  expect(await inbox.take(0)).toMatchObject({ kind: 'batch', batch: { topic: 'b' } })
  expect(await inbox.take(0)).toMatchObject({ kind: 'assigned' })
  expect(inbox.isEmpty).toBe(true)
})
