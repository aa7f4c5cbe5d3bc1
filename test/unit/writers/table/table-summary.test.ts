import { describe, expect, test } from 'vitest'
import { field, struct } from '../../../../schemas/delta-types.ts'
import { removeOf } from '../../../../writers/delta/actions.ts'
import { DeltaTable } from '../../../../writers/table/delta-table.ts'
import { summariseTable } from '../../../../writers/table/table-summary.ts'
import { type TableProperties, withTableProperties } from '../../../../writers/table-properties.ts'
import { HandMadeTable } from '../../../support/hand-made-table.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const SCHEMA = struct([field('id', 'long')])

async function summaryOf(t: HandMadeTable) {
  return summariseTable((await DeltaTable.open(t.store, t.path))!.snapshot)
}

function ownTable(configuration: Record<string, string>, properties: Partial<TableProperties> = {}) {
  const all: TableProperties = {
    source: '["s","d","public","t"]',
    mode: 'upsert',
    key: ['id'],
    fullBefore: false,
    incomplete: [],
    addedLater: [],
    unsent: [],
    owed: [],
    owedValues: [],
    changeFeed: 'auto',
    ...properties,
  }
  return new HandMadeTable(new MemoryStore(), 't', SCHEMA, {
    configuration: withTableProperties(configuration, all),
  })
}

test('counts rows, files and deleted rows from the log, without a look at a data file', async () => {
  const t = new HandMadeTable(new MemoryStore(), 't', SCHEMA, { name: 'public.t' })
  const file = t.file('one', [[1n], [2n], [3n], [4n]])
  t.commit([file])
  t.commit([removeOf(file, 9, true), { ...file, deletionVector: t.vector([0]) }, t.file('two', [[4n]])])
  t.store.calls.length = 0
  expect(await summaryOf(t)).toMatchObject({
    name: 'public.t',
    version: 2,
    rows: 4,
    files: 2,
    deletedRows: 1,
    deletedShare: 0.2,
    tombstones: 1,
    mode: null,
    lastCommitMs: 1_700_000_002_000,
  })
  expect(t.store.calls.filter((call) => /^(?:data|deletion-vector)/.test(call))).toEqual([])
})

test('rows are not known when a file has no statistics', async () => {
  const t = new HandMadeTable(new MemoryStore(), 't', SCHEMA)
  t.commit([t.file('one', [[1n]]), { ...t.file('two', [[1n]]), stats: undefined }])
  expect(await summaryOf(t)).toMatchObject({ rows: null, deletedShare: null, files: 2 })
})

describe('mode and feed, as the properties tell them', () => {
  const ON = { 'delta.enableChangeDataFeed': 'true' }
  const VECTORS = { ...ON, 'delta.enableDeletionVectors': 'true' }

  test.each<[Record<string, string>, Partial<TableProperties>, object]>([
    [VECTORS, {}, { mode: 'upsert', key: ['id'], changeFeed: 'rows', incomplete: [] }],
    [VECTORS, { fullBefore: true }, { changeFeed: 'full' }],
    [ON, {}, { changeFeed: 'full' }],
    [ON, { mode: 'append', key: null }, { mode: 'append', key: [], changeFeed: 'rows' }],
    [VECTORS, { key: null }, { mode: 'keyless', key: [] }],
    [{}, { incomplete: ['price'] }, { changeFeed: 'off', incomplete: ['price'] }],
  ])('%j %j', async (configuration, properties, expected) => {
    expect(await summaryOf(ownTable(configuration, properties))).toMatchObject(expected)
  })
})
