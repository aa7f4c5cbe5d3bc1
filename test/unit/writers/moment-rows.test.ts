import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../../schemas/change-event.ts'
import { UNAVAILABLE } from '../../../schemas/delta-types.ts'
import type { MomentReport, MomentRow } from '../../../writers/moment-rows.ts'
import {
  type ColumnTypes,
  changeEvent,
  ITEM_COLUMNS,
  rowImage,
  shapeOf,
  type Values,
} from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { TestTable } from '../../support/test-table.ts'

const PARTITION = { topic: 'shop.public.items', partition: 0 }
/** Sees every transaction below 100. */
const MOMENT = '100:100:'

let nextId = 1n

function row(id: bigint, values: Values | null, columns: ColumnTypes = ITEM_COLUMNS): MomentRow {
  const shape = shapeOf(columns)
  const image = values === null ? null : rowImage(shape, { id, ...values })
  return { key: { columns: [shape.columns[0]!], values: [id] }, image }
}

async function give(
  table: TestTable,
  watch: string,
  rows: readonly MomentRow[],
  partitions = [PARTITION],
): Promise<MomentReport> {
  return table.writer.give({ id: nextId++, watch, snapshot: MOMENT, rows }, partitions)
}

async function tableOf(...events: readonly ChangeEvent[]): Promise<TestTable> {
  const table = await TestTable.open()
  await table.apply(...events)
  return table
}

const item = (id: bigint, v: string, position: number, tx = 1) =>
  changeEvent({ after: { id, v }, position, tx })

describe('rows of a moment', () => {
  test('become one commit of true changes, which the feed tells and nothing else', async () => {
    const table = await tableOf(item(1n, 'a', 10), item(2n, 'wrong', 20), item(3n, 'extra', 30))
    const rows = [row(1n, { v: 'a' }), row(2n, { v: 'b' }), row(3n, null), row(4n, { v: 'd' }), row(5n, null)]
    const report = await give(table, await table.writer.watch(), rows)
    expect(report).toEqual({
      ...{
        version: 1,
        counts: { inserted: 1, updated: 1, deleted: 1 },
        unchanged: 2,
        deferred: [],
        why: null,
      },
    })
    expect(await table.rows()).toEqual([
      { id: 1n, v: 'a' },
      { id: 2n, v: 'b' },
      { id: 4n, v: 'd' },
    ])
    const feed = (await deriveFeed(table.store)).at(-1)!.changes
    expect(feed.map(({ type, row: { id, v } }) => `${type} ${id} ${v}`).sort()).toEqual([
      'delete 2 wrong',
      'delete 3 extra',
      'insert 2 b',
      'insert 4 d',
    ])
  })

  test('move no offset, and carry a transaction of their own', async () => {
    const table = await tableOf(item(1n, 'a', 10))
    const before = (await table.snapshot()).txns
    await give(table, await table.writer.watch(), [row(1n, { v: 'b' })])
    const after = (await table.snapshot()).txns
    expect([...after.keys()].filter((name) => !before.has(name))).toEqual(['alluvium/p/moment'])
    for (const [name, txn] of before) expect(after.get(name)).toEqual(txn)
  })

  test('are not committed again under the same name', async () => {
    const table = await tableOf(item(1n, 'a', 10))
    const given = { id: 7n, watch: await table.writer.watch(), snapshot: MOMENT, rows: [row(1n, { v: 'b' })] }
    await table.writer.give(given, [PARTITION])
    const again = await table.writer.give(given, [PARTITION])
    expect(again).toMatchObject({ version: 1, deferred: [0], why: expect.stringContaining('before') })
  })

  test('leave a row alone that never was in the table, and was deleted since', async () => {
    const table = await tableOf(item(1n, 'a', 10))
    const watch = await table.writer.watch()
    await table.apply(changeEvent({ before: { id: 4n }, position: 40, tx: 100 }))
    const report = await give(table, watch, [row(4n, { v: 'd' })])
    expect(report).toMatchObject({ deferred: [0], why: null })
    expect(await table.rows()).toEqual([{ id: 1n, v: 'a' }])
  })

  test('leave a row alone that came and went within a batch', async () => {
    const table = await tableOf(item(1n, 'a', 10))
    const watch = await table.writer.watch()
    await table.apply(item(4n, 'x', 40, 100), changeEvent({ before: { id: 4n }, position: 50, tx: 101 }))
    expect(await give(table, watch, [row(4n, { v: 'd' })])).toMatchObject({ deferred: [0] })
  })

  test('leave all alone that the owner did not watch: it began later, or the table was truncated', async () => {
    const table = await tableOf(item(1n, 'a', 10))
    const watch = await table.writer.watch()
    await table.apply(changeEvent({ op: 't', position: 20, tx: 5 }))
    const truncated = await give(table, watch, [row(1n, { v: 'a' })])
    expect(truncated).toMatchObject({ deferred: [0], why: expect.stringContaining('truncated') })
    const another = await table.writer.watch()
    await table.reopen()
    expect(await give(table, another, [row(1n, { v: 'a' })])).toMatchObject({ deferred: [0] })
    expect(await table.rows()).toEqual([])
  })

  test('make an event stale that is sent again and that the moment sees', async () => {
    const table = await tableOf(item(1n, 'a', 10), item(2n, 'b', 40))
    await give(table, await table.writer.watch(), [row(1n, { v: 'c' })])
    // Lost on its way at first, and older than what the moment has.
    const { tally } = await table.apply(item(1n, 'lost', 30, 3))
    expect(tally.stale).toBe(1)
    expect(await table.rows()).toContainEqual({ id: 1n, v: 'c' })
  })

  test('lose to an event from a partition that is behind the others', async () => {
    const other = { ...PARTITION, partition: 1 }
    const table = await tableOf(
      item(1n, 'a', 10),
      changeEvent({ after: { id: 2n, v: 'b' }, position: 90, ...other }),
    )
    await give(table, await table.writer.watch(), [row(1n, { v: 'c' })], [PARTITION, other])
    await table.apply(item(1n, 'newer', 50, 200))
    expect(await table.rows()).toContainEqual({ id: 1n, v: 'newer' })
  })

  test('fill in no value that they do not tell', async () => {
    const columns = { id: 'long', v: 'string', w: 'string' } as const
    const table = await tableOf(changeEvent({ columns, after: { id: 1n, v: 'a', w: 'kept' }, position: 10 }))
    const rows = [row(1n, { v: 'b', w: UNAVAILABLE }, columns)]
    await give(table, await table.writer.watch(), rows)
    expect(await table.rows()).toEqual([{ id: 1n, v: 'b', w: 'kept' }])
  })

  test('are all put off where the columns are others by now, or the table has no key', async () => {
    const table = await tableOf(item(1n, 'a', 10))
    const rows = [row(1n, { v: 5 }, { id: 'long', v: 'integer' })]
    const moved = await give(table, await table.writer.watch(), rows)
    expect(moved).toMatchObject({ deferred: [0], why: expect.stringContaining('columns') })
    const bag = await tableOf(changeEvent({ key: null, after: { id: 1n, v: 'a' }, position: 10 }))
    const keyless = await give(bag, await bag.writer.watch(), [row(1n, { v: 'b' })])
    expect(keyless).toMatchObject({ deferred: [0], why: expect.stringContaining('without a key') })
  })

  test('are all put off where two of them have one key, or their key is not that of the table', async () => {
    const table = await tableOf(item(1n, 'a', 10))
    const twice = [row(1n, { v: 'b' }), row(1n, { v: 'c' })]
    expect(await give(table, await table.writer.watch(), twice)).toMatchObject({ deferred: [0, 1] })
    const { image } = row(1n, { v: 'b' })
    const other = { key: { columns: [image!.shape.columns[1]!], values: ['a'] }, image }
    expect(await give(table, await table.writer.watch(), [other])).toMatchObject({ deferred: [0] })
    expect(await table.rows()).toEqual([{ id: 1n, v: 'a' }])
  })

  test('are put off where they tell a part of a row that is gone', async () => {
    const table = await tableOf(item(1n, 'a', 10))
    const part = [row(9n, { v: UNAVAILABLE })]
    expect(await give(table, await table.writer.watch(), part)).toMatchObject({ deferred: [0], why: null })
  })

  test('bring pre-images and post-images where the feed has whole rows', async () => {
    const table = await TestTable.open({ contract: { changeFeed: 'full' } })
    await table.apply(item(1n, 'a', 10), item(2n, 'b', 20))
    await give(table, await table.writer.watch(), [row(1n, { v: 'c' }), row(2n, null)])
    const actions = (await table.entries()).at(-1)!
    expect(actions.filter(({ kind }) => kind === 'cdc')).toHaveLength(1)
  })

  test('mark rows as deleted where those stay', async () => {
    const table = await TestTable.open({ contract: { deletes: 'soft' } })
    await table.apply(item(1n, 'a', 10), item(2n, 'b', 20))
    await table.apply(changeEvent({ before: { id: 2n }, position: 30, tx: 2 }))
    const rows = [row(1n, null), row(2n, { v: 'again' })]
    const report = await give(table, await table.writer.watch(), rows)
    expect(report.counts).toEqual({ inserted: 0, updated: 1, deleted: 1 })
    const stored = (await table.storedRows()).map(({ id, v, _cdc_deleted }) => [id, v, _cdc_deleted])
    expect(stored.sort()).toEqual([
      [1n, 'a', true],
      [2n, 'again', false],
    ])
    const again = await give(table, await table.writer.watch(), rows)
    expect(again).toMatchObject({ unchanged: 2, counts: { inserted: 0, updated: 0, deleted: 0 } })
  })
})
