import { expect, test } from 'vitest'
import { field, struct } from '../../../../schemas/delta-types.ts'
import { removeOf } from '../../../../writers/delta/actions.ts'
import { commitPath } from '../../../../writers/delta/log-path.ts'
import { readHistory } from '../../../../writers/table/table-history.ts'
import { HandMadeTable } from '../../../support/hand-made-table.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const NOTHING = {
  inserted: null,
  updated: null,
  deleted: null,
  filesAdded: 0,
  filesRemoved: 0,
  vectorsChanged: 0,
}

function madeTable(): HandMadeTable {
  const t = new HandMadeTable(new MemoryStore(), 't', struct([field('id', 'long')]))
  const file = t.file('one', [[1n], [2n], [3n]])
  t.commit([file, t.file('gone', [[9n]])])
  const operationMetrics = {
    numTargetRowsInserted: '1',
    numTargetRowsUpdated: '0',
    numTargetRowsDeleted: '2',
    numOutputRows: '7',
  }
  t.commit(
    [
      removeOf(file, 9, true),
      { ...file, deletionVector: t.vector([0]) },
      removeOf(t.file('gone', [[9n]]), 9, true),
      t.file('two', [[4n]]),
    ],
    { operation: 'MERGE', engineInfo: 'alluvium', operationMetrics },
  )
  t.commit([], { timestamp: undefined, operation: 'DELETE', operationMetrics: { numDeletedRows: '5' } })
  return t
}

test('the newest versions come first, with what the log says of them', async () => {
  const { store } = madeTable()
  expect(await readHistory(store, 't', 3, 20)).toEqual([
    { ...NOTHING, version: 3, timestampMs: null, operation: 'DELETE', deleted: 5, engine: null },
    {
      version: 2,
      timestampMs: 1_700_000_002_000,
      operation: 'MERGE',
      ...{ inserted: 1, updated: 0, deleted: 2 },
      ...{ filesAdded: 1, filesRemoved: 1, vectorsChanged: 1 },
      engine: 'alluvium',
    },
    {
      ...NOTHING,
      version: 1,
      timestampMs: 1_700_000_001_000,
      operation: null,
      inserted: 4,
      filesAdded: 2,
      engine: null,
    },
    { ...NOTHING, version: 0, timestampMs: 1_700_000_000_000, operation: null, engine: null },
  ])
})

test('so many as are asked for, and as far back as the log goes', async () => {
  const { store } = madeTable()
  const versions = async (limit: number) =>
    (await readHistory(store, 't', 3, limit)).map(({ version }) => version)
  expect(await versions(2)).toEqual([3, 2])
  await store.delete('clean', commitPath('t', 1))
  expect(await versions(20)).toEqual([3, 2])
})
