import { expect, test } from 'vitest'
import type { RawRecord } from '../../../core/ports.ts'
import { PartitionProgress, passedBy } from '../../../src/pipeline/partition-progress.ts'
import type { TableOwner } from '../../../src/pipeline/table-owner.ts'

const RANGE = { topic: 'shop.public.orders', partition: 0, startOffset: 0n, endOffset: 100n }
const [FIRST, SECOND] = [{}, {}] as TableOwner[]

function record(offset: bigint): RawRecord {
  const { topic, partition } = RANGE
  const [key, value] = [Buffer.from(`key ${offset}`), Buffer.from('{}')]
  return { topic, partition, offset, timestampMs: 1000 + Number(offset), key, value, headers: [] }
}

test('what was seen is told as it was when it was seen, whatever comes next', () => {
  const progress = new PartitionProgress(RANGE, null, [])
  progress.lastOwner = FIRST!
  progress.see(record(4n))
  progress.lastOwner = SECOND!
  expect(progress.seen).toEqual(passedBy(record(4n), FIRST!))
  progress.see(record(5n))
  progress.see(record(6n))
  expect(progress.seen).toEqual(passedBy(record(6n), SECOND!))
})

test('offsets without a record move what was seen on, and leave its fingerprint', () => {
  const progress = new PartitionProgress(RANGE, null, [])
  progress.see(record(4n))
  progress.seeOffsetsBefore(9n)
  expect(progress.seen).toEqual({ ...passedBy(record(4n), null), nextOffset: 9n })
})
