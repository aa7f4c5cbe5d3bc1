import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rowJson } from '../../../schemas/cell-json.ts'
import { LocalStore } from '../../../src/io/local-store.ts'
import { systemRandom } from '../../../src/io/system-random.ts'
import { DeltaTable } from '../../../writers/table/delta-table.ts'

const TABLES = join(import.meta.dirname, '../../../fixtures/tables')
const store = new LocalStore(TABLES, { random: systemRandom })

test('the feed of a table that Spark wrote leads to the rows that Spark saw', async () => {
  const table = (await DeltaTable.open(store, 'cdf/table'))!
  const { fields } = table.schema
  const rows: string[] = []
  const kinds: string[] = []
  for await (const { type, version, cells } of table.changes({ from: 0 })) {
    const text = JSON.stringify(rowJson(fields, cells))
    kinds.push(`${version} ${type}`)
    if (type === 'insert' || type === 'update_postimage') rows.push(text)
    else expect(rows.splice(rows.indexOf(text), 1)).toEqual([text])
  }
  const live: string[] = []
  for await (const cells of table.rows()) live.push(JSON.stringify(rowJson(fields, cells)))
  expect(rows.sort()).toEqual(live.sort())
  expect(live.length).toBeGreaterThan(0)
  expect([...new Set(kinds)]).toEqual(['1 insert', '2 delete'])
})

test('a copy-on-write delete is told by its change file: rows that were only moved are not in it', async () => {
  const log = readFileSync(join(TABLES, 'cdf/table/_delta_log/00000000000000000002.json'), 'utf8')
  expect(log).toContain('"cdc"')
  const table = (await DeltaTable.open(store, 'cdf/table'))!
  const deleted: unknown[] = []
  for await (const { cells } of table.changes({ from: 2, columns: ['letter'] })) deleted.push(cells[0])
  expect(new Set(deleted)).toEqual(new Set(['a']))
})
