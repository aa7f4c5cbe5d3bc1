import { describe, expect, test } from 'vitest'
import type { Operation } from '../../../schemas/change-event.ts'
import type { Position } from '../../../schemas/position.ts'
import { PartitionMarks } from '../../../writers/partition-marks.ts'
import { progressTxns, readProgress } from '../../../writers/table-progress.ts'

const AT = { topic: 'shop.public.items', partition: 2 }

function at(seq: number, lsn = seq): Position {
  return { epoch: 0, seq: BigInt(seq), lsn: BigInt(lsn) }
}

/** Marks as the next life of a writer reads them from the table. */
function reread(marks: PartitionMarks): PartitionMarks {
  const txns = progressTxns('p', [{ ...AT, nextOffset: 9n }], marks, null, 0)
  return readProgress(
    txns.map((txn) => [txn.appId, txn]),
    'p',
  ).marks
}

/** An LSN, what happened, and the run of the connector that told it. */
type Dealt = number | readonly [lsn: number, op: Operation, run?: bigint]

/** What becomes of events at these LSNs, one after the other, in a table without a key. */
function deal(marks: PartitionMarks, ...events: readonly Dealt[]): string {
  return events
    .map((event) => {
      const [lsn, op, run] = typeof event === 'number' ? ([event, 'c'] as const) : event
      if (marks.isResend({ at: AT, op, ...(run === undefined ? {} : { run }) }, at(lsn))) return 'again'
      marks.advance(AT, at(lsn))
      return 'new'
    })
    .join(' ')
}

describe.each([
  ['in one life', (marks: PartitionMarks) => marks],
  ['with a restart at every event', reread],
])('events without a key, %s', (_, between) => {
  function dealOneByOne(...lsns: readonly Dealt[]): string {
    let marks = new PartitionMarks()
    const dealt: string[] = []
    for (const lsn of lsns) {
      dealt.push(deal(marks, lsn))
      marks = between(marks)
    }
    return dealt.join(' ')
  }

  test('are new as long as the stream goes on, also at one LSN (rows of a COPY)', () => {
    expect(dealOneByOne(10, 11, 11, 11, 12)).toBe('new new new new new')
  })

  test('come again when the stream fell back, as many times as they were applied', () => {
    expect(dealOneByOne(10, 11, 11, 10, 11, 11, 12)).toBe('new new new again again again new')
  })

  test('are new where a COPY goes on after its beginning was sent again', () => {
    expect(dealOneByOne(10, 11, 11, 10, 11, 11, 11, 11, 11)).toBe('new new new again again again new new new')
  })

  test('come again a second and a third time', () => {
    expect(dealOneByOne(10, 11, 11, 10, 11, 10, 11, 11, 10, 11, 11, 11)).toBe(
      'new new new again again again again again again again again new',
    )
  })

  test('come again where the stream fell back to the mark itself, with what cannot go on there', () => {
    expect(dealOneByOne(10, [11, 'u'], [11, 'u'], [11, 'u'], 12)).toBe('new new again again new')
    // A key change is a delete and a create of one LSN.
    expect(dealOneByOne(10, [11, 'd'], 11, [11, 'd'], 11, [11, 'd'], 11, 12)).toBe(
      'new new new again again again again new',
    )
  })

  test('come again where another run of the connector tells of the mark, as many times as they were applied', () => {
    const [first, second, third] = [1n, 2n, 3n].map((run) => (lsn: number) => [lsn, 'c', run] as const)
    const dealt = dealOneByOne(
      ...[first!(10), first!(11), first!(11)],
      ...[second!(11), second!(11), second!(11), second!(11)],
      ...[third!(11), third!(11), third!(11), third!(11), third!(12)],
    )
    expect(dealt).toBe('new new new again again new new again again again again new')
    expect(dealOneByOne(first!(10), second!(11), second!(11), first!(12))).toBe('new new new new')
  })

  test('are told apart at every new end of the stream', () => {
    expect(dealOneByOne(10, 11, 10, 11, 12, 12, 11, 12, 12, 12)).toBe(
      'new new again again new new again again again new',
    )
  })
})

describe('partition marks', () => {
  test('stand at the highest position, by sequence first and LSN second', () => {
    const marks = new PartitionMarks()
    marks.advance(AT, at(5, 900))
    marks.advance(AT, at(6, 100))
    marks.advance(AT, at(5, 950))
    expect(marks.get(AT)).toEqual({ position: at(6, 100), count: 1 })
    expect(marks.isBelow(AT, at(5, 950))).toBe(true)
    expect(marks.isBelow(AT, at(6, 100))).toBe(false)
  })

  test('are kept for each partition of each topic', () => {
    const marks = new PartitionMarks()
    marks.advance(AT, at(5))
    expect(marks.isBelow({ ...AT, partition: 1 }, at(1))).toBe(false)
    expect(marks.isBelow({ ...AT, topic: 'other' }, at(1))).toBe(false)
    expect(marks.highest()).toEqual(at(5))
    expect(new PartitionMarks().highest()).toBeNull()
  })

  test('do not move when a copy of them does', () => {
    const marks = new PartitionMarks()
    deal(marks, 10, 11)
    const copy = marks.copy()
    expect(deal(copy, 10, 11, 12)).toBe('again again new')
    expect(marks.get(AT)!.position).toEqual(at(11))
    expect(marks.seenAgain(AT)).toBeNull()
    expect(copy.isAt(marks)).toBe(false)
    expect(marks.copy().isAt(marks)).toBe(true)
  })
})
