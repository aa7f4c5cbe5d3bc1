import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../../schemas/change-event.ts'
import { type ColumnTypes, changeEvent, type Values } from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { TestTable } from '../../support/test-table.ts'

const OLD = { id: 'long', v: 'string' } as const
const WITH_D = { ...OLD, d: { hasDefault: 'string' } } as const
const WITH_E = { ...WITH_D, e: { hasDefault: 'string' } } as const

let lsn = 0

function event(
  columns: ColumnTypes,
  before: Values | null,
  after: Values | null,
  partition = 0,
): ChangeEvent {
  return changeEvent({ columns, key: null, before, after, position: ++lsn, partition })
}

/** In one batch, and in a batch an event with a restart after each. */
async function inBothWays(
  events: () => readonly ChangeEvent[],
  check: (table: TestTable) => Promise<void>,
): Promise<void> {
  const once = await TestTable.open()
  await once.apply(...events())
  await check(once)
  const slowly = await TestTable.open()
  for (const one of events()) {
    await slowly.apply(one)
    await slowly.reopen()
  }
  await check(slowly)
}

function unmatched(table: TestTable): number {
  return table.reports.reduce((sum, report) => sum + report.unmatchedRows, 0)
}

describe('a row without a key that is older than a column', () => {
  test('is found when the source tells what it has filled the column with', async () => {
    const events = () => [
      event(OLD, null, { id: 1n, v: 'a' }),
      event(OLD, null, { id: 2n, v: 'b' }),
      event(WITH_D, { id: 1n, v: 'a', d: 'x' }, { id: 1n, v: 'c', d: 'x' }),
      event(WITH_D, { id: 2n, v: 'b', d: 'x' }, null),
    ]
    await inBothWays(events, async (table) => {
      expect(await table.rows()).toEqual([{ d: 'x', id: 1n, v: 'c' }])
      expect(unmatched(table)).toBe(0)
      const changes = (await deriveFeed(table.store)).flatMap((version) => version.changes)
      const gone = changes.filter(({ type }) => type === 'delete').map(({ row }) => row['d'])
      expect(
        gone.every((d) => d === null),
        'the feed tells of the row as it was stored',
      ).toBe(true)
    })
  })

  test('is told from a younger one that is the same in all else', async () => {
    const events = () => [
      event(OLD, null, { id: 1n, v: 'a' }),
      event(WITH_D, null, { id: 1n, v: 'a', d: 'y' }),
      event(WITH_D, { id: 1n, v: 'a', d: 'x' }, null),
    ]
    await inBothWays(events, async (table) => {
      expect(await table.rows()).toEqual([{ d: 'y', id: 1n, v: 'a' }])
    })
  })

  test('is found over several columns, a younger row first', async () => {
    const events = () => [
      event(OLD, null, { id: 1n, v: 'a' }),
      event(WITH_D, null, { id: 1n, v: 'a', d: 'x' }),
      event(WITH_E, { id: 1n, v: 'a', d: 'x', e: 'y' }, null),
      event(WITH_E, { id: 1n, v: 'a', d: 'z', e: 'y' }, null),
    ]
    await inBothWays(events, async (table) => {
      expect(await table.rows()).toEqual([])
      expect(unmatched(table)).toBe(0)
    })
  })
})
