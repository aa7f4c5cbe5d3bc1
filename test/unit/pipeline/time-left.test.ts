import { expect, test } from 'vitest'
import { timeLeftMs } from '../../../src/pipeline/time-left.ts'
import { MemoryChangeSource, MemoryTopics } from '../../support/memory-topics.ts'

const HOUR_MS = 3_600_000

async function left(next: bigint, retentionMs: number | null, afterMs: number): Promise<number | null> {
  const topics = new MemoryTopics()
  topics.skip(1)
  const record = topics.row('c', { id: 1 })
  topics.row('c', { id: 2 })
  const source = new MemoryChangeSource(topics)
  const [range] = await source.partitions()
  return timeLeftMs(source, range!, next, retentionMs, record.timestampMs + afterMs)
}

test('the first record that is still to be read says how long it stays', async () => {
  expect(await left(1n, HOUR_MS, 60_000)).toBe(HOUR_MS - 60_000)
})

test.each([
  ['gone already', 0n, HOUR_MS, 60_000, 0],
  ['about to go', 1n, HOUR_MS, 2 * HOUR_MS, 0],
  ['kept for ever', 1n, null, 60_000, null],
  ['none', 3n, HOUR_MS, 60_000, null],
] as const)('records that are %s', async (_, next, retentionMs, afterMs, expected) => {
  expect(await left(next, retentionMs, afterMs)).toBe(expected)
})
