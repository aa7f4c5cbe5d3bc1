import { describe, expect, test } from 'vitest'
import type { SetTransaction } from '../../../writers/delta/actions.ts'
import { PartitionMarks } from '../../../writers/partition-marks.ts'
import { progressAppIds, progressTxns, readProgress } from '../../../writers/table-progress.ts'

const ORDERS_0 = { topic: 'shop.public.orders', partition: 0 }
const ORDERS_11 = { topic: 'shop.public.orders', partition: 11 }
const POSITION = { epoch: 3, seq: 9_007_199_254_740_993n, lsn: 9_007_199_254_740_995n }

function values(txns: readonly SetTransaction[]): Record<string, bigint> {
  return Object.fromEntries(txns.map((txn) => [txn.appId, txn.version]))
}

function read(txns: readonly SetTransaction[], pipeline = 'cdc') {
  return readProgress(
    txns.map((txn) => [txn.appId, txn]),
    pipeline,
  )
}

describe('the progress of a table', () => {
  test('has names that the next release must know', () => {
    const marks = new PartitionMarks()
    marks.advance(ORDERS_0, POSITION)
    marks.advance(ORDERS_0, POSITION)
    const positions = [
      { ...ORDERS_0, nextOffset: 9_007_199_254_740_997n },
      { ...ORDERS_11, nextOffset: 1n },
    ]
    const txns = progressTxns('cdc', positions, marks, { epoch: 1, seq: 2n, lsn: 3n }, 77)
    expect(values(txns)).toEqual({
      'alluvium/cdc/shop.public.orders/0': 9_007_199_254_740_997n,
      'alluvium/cdc/shop.public.orders/0/mark.epoch': 3n,
      'alluvium/cdc/shop.public.orders/0/mark.seq': 9_007_199_254_740_993n,
      'alluvium/cdc/shop.public.orders/0/mark.lsn': 9_007_199_254_740_995n,
      'alluvium/cdc/shop.public.orders/0/mark.count': 2n,
      'alluvium/cdc/shop.public.orders/11': 1n,
      'alluvium/cdc/floor.epoch': 1n,
      'alluvium/cdc/floor.seq': 2n,
      'alluvium/cdc/floor.lsn': 3n,
    })
    expect(txns.every((txn) => txn.lastUpdated === 77)).toBe(true)
    expect([...progressAppIds('cdc', positions)]).toEqual([
      'alluvium/cdc/shop.public.orders/0',
      'alluvium/cdc/shop.public.orders/11',
    ])
  })

  test('is read back as it was written', () => {
    const marks = new PartitionMarks()
    marks.advance(ORDERS_0, POSITION)
    marks.advance(ORDERS_0, POSITION)
    const floor = { epoch: 1, seq: 2n, lsn: 3n }
    const progress = read(progressTxns('cdc', [{ ...ORDERS_0, nextOffset: 5n }], marks, floor, 0))
    expect([...progress.nextOffsets]).toEqual([['shop.public.orders/0', 5n]])
    expect(progress.marks.get(ORDERS_0)).toEqual({ position: POSITION, count: 2 })
    expect(progress.floor).toEqual(floor)
  })

  test('knows how much of the mark was seen again when the stream fell back', () => {
    const marks = new PartitionMarks()
    marks.advance(ORDERS_0, { ...POSITION, seq: 1n })
    marks.advance(ORDERS_0, POSITION)
    marks.isResend({ at: ORDERS_0, op: 'c' }, { ...POSITION, seq: 1n })
    const txns = progressTxns('cdc', [{ ...ORDERS_0, nextOffset: 5n }], marks, null, 0)
    expect(values(txns)['alluvium/cdc/shop.public.orders/0/mark.seen']).toBe(0n)
    expect(read(txns).marks.seenAgain(ORDERS_0)).toBe(0)
  })

  test('is none for a pipeline that has not been here, and for others', () => {
    const txns = progressTxns('cdc', [{ ...ORDERS_0, nextOffset: 5n }], new PartitionMarks(), null, 0)
    for (const pipeline of ['cd', 'cdc/shop.public.orders', 'other']) {
      expect(read(txns, pipeline)).toMatchObject({ nextOffsets: new Map(), floor: null })
    }
    const foreign: SetTransaction = { kind: 'txn', appId: 'alluvium/cdc/no-partition', version: 3n }
    expect(read([foreign]).nextOffsets.size).toBe(0)
  })
})
