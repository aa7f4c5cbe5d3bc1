import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as library from '../../../src/index.ts'
import {
  createTopicDecoder,
  DeltaTable,
  listTables,
  openLake,
  rowJson,
  toStandardJson,
} from '../../../src/index.ts'
import { ingestInto, RECORDING, temporaryDirectory } from '../../support/lake-of-recording.ts'
import { readRecordedTopic } from '../../support/recorded-topics.ts'

const directory = temporaryDirectory()
const lake = join(directory, 'lake')

beforeAll(async () => {
  expect(await ingestInto(lake)).toBe(0)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('the public names are these, each on purpose', () => {
  expect(Object.keys(library).sort()).toEqual([
    'CDCEventParser',
    'DEFAULT_CONTRACT',
    'DebeziumConfigBuilder',
    'DeltaLakeWriter',
    'DeltaTable',
    'EngineError',
    'PostgresCDCPipeline',
    'PostgresConnectionManager',
    'cellJson',
    'createTopicDecoder',
    'listTables',
    'openLake',
    'readChanges',
    'rowJson',
    'toStandardJson',
  ])
})

test('a table is read as the module says: rows, and the changes that led to them', async () => {
  const store = await openLake(lake)
  const table = (await DeltaTable.open(store, 'inventory/nopk_inserts'))!
  const rows: unknown[] = []
  for await (const cells of table.rows({ columns: ['a', 'b'], limit: 10 })) {
    rows.push(rowJson(table.select(['a', 'b']).fields, cells))
  }
  expect(rows).toEqual([{ a: 100, b: 'after truncate' }])
  const kinds: string[] = []
  for await (const { type, version } of table.changes({ from: 0 })) kinds.push(`${version} ${type}`)
  expect(kinds).toEqual([...Array(4).fill('0 insert'), ...Array(4).fill('1 delete'), '2 insert'])
  expect(await DeltaTable.open(store, 'inventory/nothing')).toBeNull()

  const paths: string[] = []
  for await (const path of listTables(store, { hidden: false })) paths.push(path)
  expect(paths).toContain('inventory/customers')
})

test('the records of a topic are decoded', () => {
  const decoder = createTopicDecoder({
    contractFor: ({ schema, table }) => ({ ...library.DEFAULT_CONTRACT, name: `${schema}.${table}` }),
    epoch: 0,
    unavailablePlaceholder: '__debezium_unavailable_value',
  })
  const [record] = readRecordedTopic(join(RECORDING, 'envelope-schema.inventory.customers.jsonl'))
  const decoded = decoder.decode(record!)
  expect(decoded.kind === 'change' && toStandardJson(decoded)).toMatchObject({
    operation: 'INSERT',
    table: 'customers',
    primary_key: 1001,
  })
})

test('package.json leads to it', () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'))
  expect(manifest.exports['.']).toEqual({
    types: './dist/src/index.d.ts',
    default: './dist/src/index.js',
  })
})
