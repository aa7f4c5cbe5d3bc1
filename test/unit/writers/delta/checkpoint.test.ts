import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetMetadata, parquetSchema, type SchemaTree } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { type Action, removeOf } from '../../../../writers/delta/actions.ts'
import { shouldCheckpoint, writeCheckpoint } from '../../../../writers/delta/checkpoint.ts'
import { parseLastCheckpoint } from '../../../../writers/delta/last-checkpoint.ts'
import { loadSnapshot } from '../../../../writers/delta/load-snapshot.ts'
import { checkpointPath, commitPath, lastCheckpointPath } from '../../../../writers/delta/log-path.ts'
import { protocolFor } from '../../../../writers/delta/protocol.ts'
import { replay, type TableSnapshot, withoutExpiredTombstones } from '../../../../writers/delta/snapshot.ts'
import { addOf, metadataOf, PROTOCOL } from '../../../support/delta-log.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const DAY = 86_400_000
const vector = {
  storageType: 'u' as const,
  pathOrInlineDv: '^-aqEH.-t@S}K{vb[*k^',
  offset: 1,
  sizeInBytes: 38,
  cardinality: 3,
}
const inline = { storageType: 'i' as const, pathOrInlineDv: 'abcde', sizeInBytes: 4, cardinality: 1 }

const RICH: Action[] = [
  protocolFor({ deletionVectors: true, changeDataFeed: true, timestampNtz: false }),
  { ...metadataOf({ 'delta.enableDeletionVectors': 'true', empty: '' }), name: 'n', partitionColumns: ['p'] },
  { kind: 'txn', appId: 'a', version: 2n ** 63n - 1n, lastUpdated: 9 },
  { kind: 'txn', appId: 'b', version: -1n },
  { kind: 'domainMetadata', domain: 'd', configuration: '{"x":1}', removed: false },
  addOf('a', { partitionValues: { p: null }, deletionVector: vector, tags: { t: 'v', u: null } }),
  addOf('b', {
    partitionValues: { p: 'é,x' },
    deletionVector: inline,
    baseRowId: 2n ** 60n,
    clusteringProvider: 'liquid',
  }),
  addOf('c', { stats: undefined }),
  removeOf(addOf('gone', { deletionVector: vector }), 100 * DAY, true),
  { kind: 'remove', path: 'bare', dataChange: true, deletionTimestamp: 100 * DAY },
  removeOf(addOf('expired'), 1, true),
]

async function throughCheckpoint(
  actions: readonly Action[],
): Promise<{ store: MemoryStore; snapshot: TableSnapshot }> {
  const store = new MemoryStore()
  await writeCheckpoint(store, 't', withoutExpiredTombstones(replay(null, 7, actions), 101 * DAY), 101 * DAY)
  return { store, snapshot: (await loadSnapshot(store, 't'))! }
}

/** `name type repetition logical`, nested by indentation. */
function schemaLines(bytes: Uint8Array): string[] {
  const lines: string[] = []
  const visit = ({ element, children }: SchemaTree, indent: string): void => {
    const { name, type, repetition_type: repetition, converted_type: converted } = element
    lines.push([indent + name, type, repetition, converted].join(' ').trimEnd())
    for (const child of children) visit(child, `${indent}  `)
  }
  const file = bytes.slice().buffer
  for (const child of parquetSchema(parquetMetadata(file)).children) visit(child, '')
  return lines
}

describe('a checkpoint of ours', () => {
  test('brings back every action, except what has expired and what changed', async () => {
    const { snapshot } = await throughCheckpoint(RICH)
    const back: Action[] = [
      snapshot.protocol,
      snapshot.metadata,
      ...snapshot.txns.values(),
      ...snapshot.domains.values(),
      ...snapshot.files.values(),
      ...snapshot.tombstones.values(),
    ]
    const expected = RICH.slice(0, -1).map((action) =>
      action.kind === 'add' || action.kind === 'remove' ? { ...action, dataChange: false } : action,
    )
    expect(back).toEqual(expected)
  })

  test('has the columns of Spark with its physical types, whatever the table uses', async () => {
    const { store } = await throughCheckpoint([PROTOCOL, metadataOf()])
    const fixture =
      '../../../../fixtures/tables/with_checkpoint/table/_delta_log/00000000000000000002.checkpoint.parquet'
    const spark = schemaLines(readFileSync(join(import.meta.dirname, fixture)))
    const statistics = spark.findIndex((line) => line.startsWith('  stats_parsed'))
    const afterStatistics = spark.findIndex((line, at) => at > statistics && !line.startsWith('    '))
    spark.splice(statistics, afterStatistics - statistics)
    expect(schemaLines(store.objects.get(checkpointPath('t', 7))!.bytes)).toEqual(
      spark.filter((line) => !line.includes('maxRowIndex')),
    )
  })

  test('keeps reader and writer features null where the version has none', async () => {
    const { snapshot } = await throughCheckpoint([PROTOCOL, metadataOf()])
    expect(snapshot.protocol).toEqual(PROTOCOL)
  })

  test('leaves out transactions that the table lets expire', async () => {
    const old: Action = { kind: 'txn', appId: 'old', version: 1n, lastUpdated: 1 }
    const young: Action = { kind: 'txn', appId: 'young', version: 1n, lastUpdated: 101 * DAY }
    const timeless: Action = { kind: 'txn', appId: 'timeless', version: 1n }
    const properties = { 'delta.setTransactionRetentionDuration': 'interval 1 week' }
    const { snapshot } = await throughCheckpoint([PROTOCOL, metadataOf(properties), old, young, timeless])
    expect([...snapshot.txns.keys()]).toEqual(['young', 'timeless'])
  })

  test('is written before the pointer to it, and the pointer is never moved back', async () => {
    const { store } = await throughCheckpoint([PROTOCOL, metadataOf()])
    expect(store.calls.filter((call) => call.includes('.put '))).toEqual([
      `checkpoint.put ${checkpointPath('t', 7)}`,
      `log.last-checkpoint.put ${lastCheckpointPath('t')}`,
    ])
    await writeCheckpoint(store, 't', replay(null, 3, [PROTOCOL, metadataOf()]), 0)
    expect(parseLastCheckpoint(store.objects.get(lastCheckpointPath('t'))!.bytes)).toBe(7)
  })

  test('is refused for a table with features that we do not know', async () => {
    const rowTracking: Action = { ...PROTOCOL, minWriterVersion: 7, writerFeatures: ['rowTracking'] }
    await expect(throughCheckpoint([rowTracking, metadataOf()])).rejects.toThrow('rowTracking')
  })

  test('holds many files and is read back to the last one', async () => {
    const files = Array.from({ length: 3000 }, (_, at) => addOf(`f${at}`))
    const { snapshot, store } = await throughCheckpoint([PROTOCOL, metadataOf(), ...files])
    expect(snapshot.files.size).toBe(3000)
    expect([...store.objects.keys()]).not.toContain(commitPath('t', 7))
  })
})

describe('a checkpoint is due', () => {
  test.each([
    [{ commits: 99, jsonBytes: 1000 }, false],
    [{ commits: 100, jsonBytes: 1000 }, true],
    [{ commits: 3, jsonBytes: 8 * 1024 * 1024 }, true],
  ])('after %j: %s', (since, due) => {
    expect(shouldCheckpoint(since)).toBe(due)
  })
})
