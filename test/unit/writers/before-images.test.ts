import { describe, expect, test } from 'vitest'
import { UNAVAILABLE } from '../../../schemas/delta-types.ts'
import { readTableProperties } from '../../../writers/table-properties.ts'
import { changeEvent, type Values } from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { TestTable } from '../../support/test-table.ts'

const TENANT = { id: 'long', tenant: 'long', note: 'string', big: 'string' } as const

async function isFull(table: TestTable): Promise<boolean> {
  return readTableProperties((await table.snapshot()).metadata.configuration)!.fullBefore
}

describe('whole rows before', () => {
  test('are not believed when all that is told beside the key could be a filler', async () => {
    const table = await TestTable.open()
    const columns = TENANT
    await table.apply(
      changeEvent({ columns, after: { id: 1n, tenant: 1n, note: null, big: null }, position: 1 }),
    )
    // REPLICA IDENTITY USING INDEX (id, tenant): the index columns are told, the others are null.
    const before = { id: 1n, tenant: 1n, note: null, big: null }
    await table.apply(
      changeEvent({ columns, before, after: { id: 1n, tenant: 2n, note: null, big: null }, position: 2 }),
    )
    expect(await isFull(table)).toBe(false)
  })

  test('are believed when an unchanged column holds what no filler holds', async () => {
    const table = await TestTable.open()
    const row = { id: 1n, tenant: 1n, note: 'told', big: null }
    await table.apply(changeEvent({ columns: TENANT, after: row, position: 1 }))
    await table.apply(
      changeEvent({ columns: TENANT, before: row, after: { ...row, tenant: 2n }, position: 2 }),
    )
    expect(await isFull(table)).toBe(true)
  })

  test('are not the stored row in a column that came later, whatever schemas tell of its default', async () => {
    const table = await TestTable.open({ contract: { changeFeed: 'full', replicaIdentity: 'full' } })
    await table.apply(changeEvent({ after: { id: 1n, v: 'a' }, position: 1 }))
    const columns = { id: 'long', v: 'string', d: 'string' } as const
    // The source has filled the new column of the old row with its default, without an event.
    const before = { id: 1n, v: 'a', d: 'x' }
    await table.apply(changeEvent({ columns, before, after: { id: 1n, v: 'b', d: 'x' }, position: 2 }))
    const [, update] = await deriveFeed(table.store)
    const image = update!.changes.find(({ type }) => type === 'update_preimage')!.row
    expect(image).toMatchObject({ id: 1n, v: 'a', d: null })
  })

  test('are not the stored row where a value was stored as null because it was never sent', async () => {
    const columns = { id: 'long', v: 'string', big: 'string' } as const
    const table = await TestTable.open({ contract: { changeFeed: 'full' } })
    await table.apply(changeEvent({ columns, after: { id: 2n, v: 'x', big: 'known' }, position: 1 }))
    await table.apply(
      changeEvent({ columns, op: 'u', after: { id: 1n, v: 'a', big: UNAVAILABLE }, position: 2 }),
    )
    await table.reopen({ changeFeed: 'full', replicaIdentity: 'full' })
    const before = { id: 1n, v: 'a', big: 'never sent' }
    await table.apply(changeEvent({ columns, before, after: { ...before, v: 'b' }, position: 3 }))
    const feed = await deriveFeed(table.store)
    const image = feed.at(-1)!.changes.find(({ type }) => type === 'update_preimage')!.row
    expect(image).toMatchObject({ id: 1n, v: 'a', big: null })
    expect(await table.rows()).toMatchObject([{ id: 2n }, { id: 1n, v: 'b', big: 'never sent' }])
  })
})

test('text of a user that looks like an unsent value does not stop a table without a key', async () => {
  const table = await TestTable.open()
  await table.apply(changeEvent({ key: null, after: { id: 1n, v: 'a' }, position: 1 }))
  const after: Values = { id: 1n, v: UNAVAILABLE }
  await table.apply(changeEvent({ key: null, before: { id: 1n, v: 'a' }, after, position: 2 }))
  expect(await table.rows()).toMatchObject([{ id: 1n, v: 'a' }])
})

test('rows that nobody can find are told when a table without a key should lose them', async () => {
  const table = await TestTable.open()
  await table.apply(changeEvent({ key: null, after: { id: 1n, v: 'a' }, position: 1 }))
  const report = await table.apply(changeEvent({ key: null, before: { id: 1n, v: 'b' }, position: 2 }))
  expect(report.unmatchedRows).toBe(1)
  expect(await table.rows()).toEqual([{ id: 1n, v: 'a' }])
})

test('a key change whose old row was vacuumed goes on, and counts the value that is lost', async () => {
  const columns = { id: 'long', v: 'string' } as const
  const table = await TestTable.open()
  await table.apply(changeEvent({ columns, after: { id: 1n, v: 'long ago' }, position: 1 }))
  const [file] = [...(await table.snapshot()).files.keys()]
  await table.apply(changeEvent({ columns, before: { id: 1n }, newKey: { id: 2n }, position: 2 }))
  await table.store.delete('test', `public/items/${file}`)
  await table.reopen()
  const after: Values = { id: 2n, v: UNAVAILABLE }
  const report = await table.apply(changeEvent({ columns, after, oldKey: { id: 1n }, position: 2 }))
  expect(report.unresolvedUnavailable).toBe(1)
  expect(await table.rows()).toMatchObject([{ id: 2n, v: null }])
})
