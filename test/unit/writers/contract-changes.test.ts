import { describe, expect, test } from 'vitest'
import { changeEvent } from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { ForeignWriter } from '../../support/foreign-writer.ts'
import { TestTable } from '../../support/test-table.ts'

const INSERTED = [
  changeEvent({ after: { id: 1n, v: 'a' }, position: 10 }),
  changeEvent({ after: { id: 2n, v: 'b' }, position: 11 }),
]
const DELETED = changeEvent({ before: { id: 1n }, position: 20 })

describe('a contract that changes while the table is there', () => {
  test('to soft deletes gives the table the column that marks them', async () => {
    const table = await TestTable.open()
    await table.apply(...INSERTED)
    await table.reopen({ deletes: 'soft' })
    await table.apply(DELETED)
    expect((await table.snapshot()).schema.fields.map(({ name }) => name)).toContain('_cdc_deleted')
    const rows = await table.storedRows()
    expect(rows.map((row) => [row['id'], row['v'], row['_cdc_deleted']])).toEqual([
      [1n, 'a', true],
      [2n, 'b', null],
    ])
  })

  test('back to hard deletes leaves that column alone', async () => {
    const table = await TestTable.open({ contract: { deletes: 'soft' } })
    await table.apply(...INSERTED)
    await table.apply(DELETED)
    await table.reopen({ deletes: 'hard' })
    await table.apply(changeEvent({ before: { id: 2n }, position: 30 }))
    const columns = { id: 'long', v: 'string', added: 'long' } as const
    await table.apply(changeEvent({ columns, after: { id: 3n }, position: 40 }))
    const rows = await table.storedRows()
    expect(rows.map((row) => `${row['id']} ${row['_cdc_deleted']}`).sort()).toEqual(['1 true', '3 false'])
  })

  test('to full before-images is believed at once', async () => {
    const table = await TestTable.open()
    await table.apply(...INSERTED)
    await table.reopen({ replicaIdentity: 'full' })
    const unseen = changeEvent({ before: { id: 9n, v: 'x' }, after: { id: 9n, v: 'x' }, position: 20 })
    expect((await table.apply(unseen)).tally.ignored).toBe(1)
    await table.apply(changeEvent({ before: { id: 1n, v: 'a' }, after: { id: 1n, v: 'c' }, position: 30 }))
    const feed = await deriveFeed(table.store)
    expect(feed.at(-1)!.changes.map(({ type }) => type)).toEqual(['update_preimage', 'update_postimage'])
  })

  test.each(['append', 'upsert'] as const)(
    'to mode %s is refused: what is stored is not that',
    async (mode) => {
      const table = await TestTable.open({ contract: { mode: mode === 'append' ? 'upsert' : 'append' } })
      await table.apply(...INSERTED)
      await expect(table.reopen({ mode })).rejects.toMatchObject({
        code: 'E_MODE_CHANGED',
        remedy: 'stop-table',
      })
    },
  )

  test('to copy-on-write still reads the deletion vectors that are there', async () => {
    const table = await TestTable.open()
    await table.apply(...INSERTED)
    await table.apply(DELETED)
    await table.reopen({ merge: 'at-once' })
    await table.apply(changeEvent({ op: 'u', after: { id: 2n, v: 'c' }, position: 30 }))
    expect(await table.rows()).toEqual([{ id: 2n, v: 'c' }])
    const files = [...(await table.snapshot()).files.values()]
    expect(files.some(({ deletionVector }) => deletionVector !== undefined)).toBe(false)
  })
})

test('a table that is told to forget old transactions is refused at its start: its progress is one', async () => {
  const table = await TestTable.open()
  await table.apply(...INSERTED)
  await new ForeignWriter(table.store).setProperty('delta.setTransactionRetentionDuration', 'interval 7 days')
  await expect(table.reopen()).rejects.toMatchObject({ code: 'E_PROGRESS_EXPIRES', remedy: 'stop-table' })
})
