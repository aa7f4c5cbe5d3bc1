import { expect, test } from 'vitest'
import type { Metadata } from '../../../writers/delta/actions.ts'
import { removeOf } from '../../../writers/delta/actions.ts'
import { changeEvent } from '../../support/change-event.ts'
import { ForeignWriter } from '../../support/foreign-writer.ts'
import { TestTable } from '../../support/test-table.ts'

const row = (id: number, position: number) => changeEvent({ after: { id: BigInt(id), v: 'a' }, position })

/** CREATE OR REPLACE TABLE: the log goes on, with another table in it. */
async function replace(table: TestTable, configuration: Metadata['configuration']): Promise<void> {
  await new ForeignWriter(table.store).commit(async ({ metadata, files }) => {
    const replaced: Metadata = { ...metadata, id: 'another', configuration }
    return [replaced, ...[...files.values()].map((file) => removeOf(file, 1, true))]
  })
}

test('a table that somebody puts another one in the place of stops, and the other one is left alone', async () => {
  const table = await TestTable.open()
  await table.apply(row(1, 10))
  await replace(table, {})
  await expect(table.apply(row(2, 20))).rejects.toMatchObject({
    code: 'E_TABLE_IDENTITY',
    remedy: 'stop-table',
    message: expect.stringMatching(/by stranger.* version 1/),
  })
  expect((await table.snapshot()).version).toBe(1)
  expect(await table.rows()).toEqual([])
})

test('so does one that a copy with all its properties is put in the place of', async () => {
  const table = await TestTable.open()
  await table.apply(row(1, 10))
  await replace(table, (await table.snapshot()).metadata.configuration)
  await expect(table.apply(row(2, 20))).rejects.toMatchObject({ code: 'E_TABLE_IDENTITY' })
  expect((await table.snapshot()).version).toBe(1)
})

test('a table of others that is found in its place at the next start is not gone on with', async () => {
  const table = await TestTable.open()
  await table.apply(row(1, 10))
  await replace(table, {})
  await expect(table.reopen()).rejects.toMatchObject({ code: 'E_FOREIGN_TABLE' })
})
