import { describe, expect, test } from 'vitest'
import type { Cell } from '../../../schemas/delta-types.ts'
import { type ColumnTypes, changeEvent } from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { TestTable } from '../../support/test-table.ts'

const CASES: [string, ColumnTypes, Cell][] = [
  ['an empty text', { grp: 'string', id: 'long', v: 'string' }, ''],
  ['a negative zero', { grp: 'double', id: 'long', v: 'string' }, -0],
]

describe.each(CASES)('%s in a partition column', (_, columns, grp) => {
  const partitionBy = ['grp']
  const row = { grp, id: 1n, v: 'a' }

  test.each([false, true])('of the key is found by its delete, after a restart: %s', async (restarts) => {
    const of = { columns, key: ['grp', 'id'] }
    const table = await TestTable.open({ contract: { partitionBy } })
    await table.apply(changeEvent({ ...of, after: row, position: 1 }))
    if (restarts) await table.reopen()
    await table.apply(changeEvent({ ...of, before: row, after: { ...row, v: 'b' }, position: 2 }))
    expect(await table.rows()).toMatchObject([{ v: 'b' }])
    if (restarts) await table.reopen()
    await table.apply(changeEvent({ ...of, before: row, position: 3 }))
    expect(await table.rows()).toEqual([])
  })

  test.each([false, true])('of a table without a key is found too, after a restart: %s', async (restarts) => {
    const of = { columns, key: null }
    const table = await TestTable.open({ contract: { partitionBy } })
    await table.apply(changeEvent({ ...of, after: row, position: 1 }))
    if (restarts) await table.reopen()
    const report = await table.apply(changeEvent({ ...of, before: row, position: 2 }))
    expect(report.unmatchedRows).toBe(0)
    expect(await table.rows()).toEqual([])
  })

  test('is no other row when it was read back: a row that came in and goes in one transaction is gone', async () => {
    const of = { columns, key: ['id'], tx: 7 }
    const table = await TestTable.open({ contract: { partitionBy, replicaIdentity: 'full' } })
    await table.apply(changeEvent({ ...of, after: row, position: [9, 1] }))
    await table.reopen()
    await table.apply(changeEvent({ ...of, before: row, position: [9, 2] }))
    expect(await table.rows()).toEqual([])
  })

  test('is in the change feed what it is in the table', async () => {
    const of = { columns, key: ['id'] }
    const table = await TestTable.open({ contract: { partitionBy, replicaIdentity: 'full' } })
    await table.apply(changeEvent({ ...of, after: row, position: 1 }))
    const [stored] = await table.rows()
    await table.apply(changeEvent({ ...of, before: row, after: { ...row, v: 'b' }, position: 2 }))
    const [, update] = await deriveFeed(table.store)
    expect(update!.changes.find(({ type }) => type === 'update_preimage')!.row).toMatchObject(stored!)
  })
})

test('an empty text elsewhere is not null, of a table without a key either', async () => {
  const table = await TestTable.open()
  await table.apply(
    changeEvent({ key: null, after: { id: 1n, v: '' }, position: 1 }),
    changeEvent({ key: null, after: { id: 1n, v: null }, position: 2 }),
  )
  await table.reopen()
  await table.apply(changeEvent({ key: null, before: { id: 1n, v: null }, position: 3 }))
  expect(await table.rows()).toEqual([{ id: 1n, v: '' }])
})
