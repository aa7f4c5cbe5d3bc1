import { expect, test } from 'vitest'
import { field, struct } from '../../../schemas/delta-types.ts'
import { protocolFor } from '../../../writers/delta/protocol.ts'
import { renderSchemaString } from '../../../writers/delta/schema-string.ts'
import { type PreparedCommit, TableLog } from '../../../writers/table-log.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { testPorts } from '../../support/test-ports.ts'

function commitFor(isFirst: boolean): PreparedCommit {
  const creation = [
    protocolFor({ deletionVectors: false, changeDataFeed: false, timestampNtz: false }),
    {
      kind: 'metaData' as const,
      id: '0b7b7a3e-6f0e-4b0e-9d5c-3d9c0f6d1c11',
      format: { provider: 'parquet', options: {} },
      schemaString: renderSchemaString(struct([field('a', 'long')])),
      partitionColumns: [],
      configuration: {},
    },
  ]
  const txn = { kind: 'txn' as const, appId: 'x', version: 1n, lastUpdated: 1 }
  return {
    operation: 'WRITE',
    metrics: {},
    actions: isFirst ? [...creation, txn] : [txn],
    ours: { kind: 'metadata', touched: new Set(), appIds: new Set() },
  }
}

test('a checkpoint comes after a hundred commits, however often the process restarts in between', async () => {
  const store = new MemoryStore()
  for (let commit = 0; commit < 120; commit++) {
    // Each life of the process is shorter than the way to a checkpoint.
    const log = await TableLog.open(testPorts(store), 't')
    await log.commit(
      async (snapshot) => commitFor(snapshot === null),
      async () => {},
    )
    await log.upkeepWhenDue()
  }
  const names = (await store.list('test', 't/_delta_log/')).map(({ path }) => path)
  expect(names.filter((name) => name.endsWith('.checkpoint.parquet'))).toEqual([
    't/_delta_log/00000000000000000099.checkpoint.parquet',
  ])
})

test('a checkpoint comes after eight megabytes of entries, whoever wrote them', async () => {
  const store = new MemoryStore()
  const commit = async (log: TableLog, prepared: PreparedCommit) => {
    await log.commit(
      async () => prepared,
      async () => {},
    )
    await log.upkeepWhenDue()
  }
  const large = { ...commitFor(false), metrics: { note: 'x'.repeat(3 * 1024 * 1024) } }
  await commit(await TableLog.open(testPorts(store), 't'), commitFor(true))
  for (let i = 0; i < 2; i++) await commit(await TableLog.open(testPorts(store), 't'), large)
  const log = await TableLog.open(testPorts(store), 't')
  await commit(log, commitFor(false))
  expect(store.objects.has('t/_delta_log/_last_checkpoint')).toBe(false)
  await commit(log, large)
  expect(store.objects.has('t/_delta_log/00000000000000000004.checkpoint.parquet')).toBe(true)
})

test('a checkpoint that fails fails nothing else, and comes later', async () => {
  const store = new MemoryStore()
  const log = await TableLog.open(testPorts(store), 't')
  store.before = (_, site) => {
    if (site === 'checkpoint.put') throw new Error('a bad day')
  }
  for (let i = 0; i < 100; i++) {
    await log.commit(
      async (snapshot) => commitFor(snapshot === null),
      async () => {},
    )
  }
  await log.upkeepWhenDue()
  store.before = () => {}
  await log.upkeepWhenDue()
  expect(store.objects.has('t/_delta_log/00000000000000000099.checkpoint.parquet')).toBe(true)
})
