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

describe('a row without a key whose delete is read before it, from another partition', () => {
  const insert = () => event(OLD, null, { id: 1n, v: 'a' }, 0)
  const remove = () => event(OLD, { id: 1n, v: 'a' }, null, 1)

  test('is gone', async () => {
    const events = () => {
      const [came, went] = [insert(), remove()]
      return [event(OLD, null, { id: 2n, v: 'b' }, 0), went, came]
    }
    await inBothWays(events, async (table) => {
      expect(await table.rows()).toEqual([{ id: 2n, v: 'b' }])
      expect(unmatched(table)).toBe(0)
      const feed = (await deriveFeed(table.store)).flatMap((version) => version.changes)
      expect(feed.map(({ type, row }) => [type, row['id']])).toEqual([['insert', 2n]])
    })
  })

  test('is gone once, and stays when it comes a second time', async () => {
    const [came, went, again] = [insert(), remove(), insert()]
    await inBothWays(
      () => [went, came, again],
      async (table) => {
        expect(await table.rows()).toEqual([{ id: 1n, v: 'a' }])
      },
    )
  })

  test('is not waited for beyond a truncate', async () => {
    const [other, came, went] = [event(OLD, null, { id: 2n, v: 'b' }, 0), insert(), remove()]
    const emptied = changeEvent({ op: 't', key: null, position: ++lsn })
    const anew = insert()
    const table = await TestTable.open()
    for (const one of [other, went, emptied, came, anew]) {
      await table.apply(one)
      await table.reopen()
    }
    expect(await table.rows()).toEqual([{ id: 1n, v: 'a' }])
  })

  test('is told at once where there is but one partition, and not waited for', async () => {
    const table = await TestTable.open()
    await table.apply(event(OLD, null, { id: 2n, v: 'b' }))
    const report = await table.apply(event(OLD, { id: 1n, v: 'a' }, null))
    expect(report.unmatchedRows).toBe(1)
    await table.apply(insert())
    expect(await table.rows()).toEqual([
      { id: 1n, v: 'a' },
      { id: 2n, v: 'b' },
    ])
  })

  test('is told when too many are waited for', async () => {
    const table = await TestTable.open()
    const gone = Array.from({ length: 1003 }, (_, i) => event(OLD, { id: BigInt(i), v: 'a' }, null, 1))
    const report = await table.apply(...gone)
    expect(report.unmatchedRows).toBe(3)
    await table.reopen()
    await table.apply(event(OLD, null, { id: 2n, v: 'a' }), event(OLD, null, { id: 3n, v: 'a' }))
    expect(await table.rows()).toEqual([{ id: 2n, v: 'a' }])
  })
})
