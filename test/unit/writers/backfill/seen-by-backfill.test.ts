import { describe, expect, test } from 'vitest'
import { withBackfillState } from '../../../../writers/backfill/backfill-state.ts'
import { SeenByBackfill } from '../../../../writers/backfill/seen-by-backfill.ts'
import { changeEvent } from '../../../support/change-event.ts'

const STATE = { run: 'r', state: 'done', lsn: 5_000n, parts: [], chunkBlocks: 0, where: null } as const

/** Sees transactions below 100, and 101; 100 and 102 were open. The log ended at 5,000. */
const seen = SeenByBackfill.of(withBackfillState({}, { ...STATE, snapshot: '100:103:100,102' }))!

const event = (tx: number, lsn: number) => changeEvent({ after: { id: 1n, v: 'a' }, position: lsn, tx })

describe('an event', () => {
  test.each([
    ['of a transaction that was over', 99, 4_000, true],
    ['of one that ended before an older one', 101, 4_900, true],
    ['of one that was open, below what others had committed', 100, 10, false],
    ['of one that was open and came late', 102, 4_950, false],
    ['of one that began later', 103, 4_999, false],
    ['beyond the end of the log, whose id may have come again', 99, 5_000, false],
  ])('%s: seen by the backfill, %s', (_, tx, lsn, isSeen) => {
    expect(seen.has(event(tx, lsn))).toBe(isSeen)
  })

  test('whose transaction is told by 32 bits is seen as that of the nearest id', () => {
    const high = (7n << 32n) + 50n
    const later = SeenByBackfill.of(withBackfillState({}, { ...STATE, snapshot: `${high}:${high}:` }))!
    expect(later.has(event(49, 10))).toBe(true)
    expect(later.has(event(51, 10))).toBe(false)
  })

  test('without the id of a transaction is new, and so is one of a new history of the source', () => {
    expect(seen.has({ ...event(1, 10), txId: null })).toBe(false)
    const { position, ...rest } = event(1, 10)
    expect(seen.has({ ...rest, position: { ...position!, epoch: 1 } })).toBe(false)
  })

  test("of a connector's snapshot is seen when it was read before the end of the log", () => {
    const row = (lsn: number) => ({
      ...event(1, lsn),
      op: 'r' as const,
      position: null,
      txId: null,
      lsn: BigInt(lsn),
    })
    expect([seen.has(row(4_999)), seen.has(row(5_000))]).toEqual([true, false])
    const readAfter = (lsn: bigint) => ({ ...row(1), lsn: null, readAfter: { epoch: 0, seq: 1n, lsn } })
    expect([seen.has(readAfter(4_999n)), seen.has(readAfter(5_000n))]).toEqual([true, false])
  })
})
