import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { rowJson } from '../../../../schemas/cell-json.ts'
import type { ChangeEvent } from '../../../../schemas/change-event.ts'
import { CDCEventParser } from '../../../../src/library/cdc-event-parser.ts'
import { DeltaLakeWriter } from '../../../../src/library/delta-lake-writer.ts'
import { openLake } from '../../../../src/open-lake.ts'
import { DeltaTable } from '../../../../writers/table/delta-table.ts'
import { RECORDING, temporaryDirectory } from '../../../support/lake-of-recording.ts'
import { readRecordedTopic } from '../../../support/recorded-topics.ts'

const directory = temporaryDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const parser = new CDCEventParser()

function changesOf(table: string): readonly ChangeEvent[] {
  const records = readRecordedTopic(join(RECORDING, `envelope-schema.inventory.${table}.jsonl`))
  return parser.parseBatch(records).flatMap((decoded) => (decoded.kind === 'change' ? [decoded] : []))
}

const customers = changesOf('customers')
let tables = 0
const newPath = () => join(directory, `customers-${tables++}`)

async function tableAt(path: string): Promise<DeltaTable> {
  return (await DeltaTable.open(await openLake(directory), basename(path)))!
}

async function rowsAt(path: string): Promise<readonly string[]> {
  const table = await tableAt(path)
  const rows: string[] = []
  for await (const cells of table.rows()) rows.push(JSON.stringify(rowJson(table.schema.fields, cells)))
  return rows.sort()
}

test('one by one or all at once, the rows are the same', async () => {
  const [single, whole] = [newPath(), newPath()]
  const one = await DeltaLakeWriter.open({ tablePath: single })
  for (const event of customers) await one.write(event)
  const all = await DeltaLakeWriter.open({ tablePath: whole })
  const { version, tally, rows } = await all.writeBatch(customers)
  expect(version).toBe(0)
  expect(tally.applied + tally.superseded + tally.ignored).toBe(customers.length)
  const stored = await rowsAt(whole)
  expect(rows.inserted).toBe(stored.length)
  expect(stored.length).toBeGreaterThan(1)
  expect(await rowsAt(single)).toEqual(stored)
  await Promise.all([one.close(), all.close()])
})

test('what is given again, also by the next process, is known and adds no version', async () => {
  const tablePath = newPath()
  const first = await DeltaLakeWriter.open({ tablePath })
  const { version } = await first.writeBatch(customers)
  const again = await first.writeBatch(customers)
  await first.close()
  const next = await DeltaLakeWriter.open({ tablePath })
  const later = await next.writeBatch(customers)
  for (const result of [again, later]) {
    expect(result).toMatchObject({ version, rows: { inserted: 0, updated: 0, deleted: 0 } })
    expect(result.tally.duplicates).toBe(customers.length)
  }
})

test('a new table has its change feed on, and the partitions it was asked for', async () => {
  const tablePath = newPath()
  const writer = await DeltaLakeWriter.open({ tablePath, contract: { partitionBy: ['last_name'] } })
  await writer.writeBatch(customers)
  const { metadata } = (await tableAt(tablePath)).snapshot
  expect(metadata.configuration['delta.enableChangeDataFeed']).toBe('true')
  expect(metadata.partitionColumns).toEqual(['last_name'])
  const kinds = new Set<string>()
  for await (const { type } of (await tableAt(tablePath)).changes({ from: 0 })) kinds.add(type)
  expect([...kinds]).toContain('insert')
})

test('a table takes the changes of one table of the source', async () => {
  const writer = await DeltaLakeWriter.open({ tablePath: newPath() })
  await writer.writeBatch(customers)
  const [other] = changesOf('nopk_inserts')
  await expect(writer.write(other!)).rejects.toMatchObject({ code: 'E_TABLE_IDENTITY' })
  await expect(DeltaLakeWriter.open({ tablePath: '/' })).rejects.toMatchObject({ code: 'E_LAKE' })
})
