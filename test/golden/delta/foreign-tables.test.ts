import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Cell, StructType } from '../../../schemas/delta-types.ts'
import { readDeletionVector } from '../../../writers/delta/deletion-vector.ts'
import { objectPath } from '../../../writers/delta/file-path.ts'
import { loadCommits, loadSnapshot } from '../../../writers/delta/load-snapshot.ts'
import type { TableSnapshot } from '../../../writers/delta/snapshot.ts'
import { numRecordsOf } from '../../../writers/delta/statistics.ts'
import { openParquet } from '../../../writers/parquet/read-parquet.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const TABLES = join(import.meta.dirname, '../../../fixtures/tables')

function storeOf(directory: string): MemoryStore {
  const store = new MemoryStore()
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    store.seed(path.slice(directory.length + 1), readFileSync(path))
  }
  return store
}

function foreignTable(name: string): MemoryStore {
  return storeOf(join(TABLES, name, 'table'))
}

async function cellsOfFile(bytes: Uint8Array, schema: StructType): Promise<Cell[][]> {
  const reader = await openParquet({
    sizeBytes: bytes.length,
    read: async (start, end) => bytes.subarray(start, end),
  })
  const rows: Cell[][] = []
  for await (const batch of reader.batches(schema)) {
    for (let row = 0; row < batch.rowCount; row++) rows.push(batch.columns.map((column) => column[row]!))
  }
  return rows
}

async function liveRows(store: MemoryStore, snapshot: TableSnapshot): Promise<Cell[][]> {
  const rows: Cell[][] = []
  for (const file of snapshot.files.values()) {
    const deleted =
      file.deletionVector === undefined ? undefined : await readDeletionVector(store, '', file.deletionVector)
    const all = await cellsOfFile(store.objects.get(objectPath(store, '', file.path))!.bytes, snapshot.schema)
    expect(numRecordsOf(file.stats) ?? all.length).toBe(all.length)
    rows.push(...all.filter((_, row) => deleted?.has(row) !== true))
  }
  return rows
}

function expectedOf(name: string): { store: MemoryStore; version: number } {
  const directory = join(TABLES, name, 'expected/latest')
  const { version } = JSON.parse(readFileSync(join(directory, 'table_version_metadata.json'), 'utf8'))
  return { store: storeOf(join(directory, 'table_content')), version }
}

function sortedText(rows: readonly Cell[][]): string[] {
  const exact = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)
  return rows.map((row) => JSON.stringify(row, exact)).sort()
}

describe('tables that Spark wrote', () => {
  test.each([
    'with_checkpoint',
    'no_replay',
    'stats_as_struct',
    'deletion_vectors',
    'cdf',
    'timestamp_ntz',
    'nested_types',
  ])('%s has the version and the rows that Spark saw', async (name) => {
    const store = foreignTable(name)
    const snapshot = (await loadSnapshot(store, ''))!
    const expected = expectedOf(name)
    const rows: Cell[][] = []
    for (const { bytes } of expected.store.objects.values())
      rows.push(...(await cellsOfFile(bytes, snapshot.schema)))

    expect(snapshot.version).toBe(expected.version)
    expect(rows.length).toBeGreaterThan(0)
    expect(sortedText(await liveRows(store, snapshot))).toEqual(sortedText(rows))
  })

  test('multi_partitioned: every escaped path leads to its file', async () => {
    const store = foreignTable('multi_partitioned')
    const snapshot = (await loadSnapshot(store, ''))!
    const paths = [...snapshot.files.values(), ...snapshot.tombstones.values()].map(({ path }) => path)
    expect(paths.some((path) => path.includes('%25'))).toBe(true)
    for (const path of paths) {
      expect([...store.objects.keys()]).toContain(objectPath(store, '', path))
    }
  })

  test('column_mapping is refused by name, not read as nulls', async () => {
    await expect(loadSnapshot(foreignTable('column_mapping'), '')).rejects.toThrow('it uses columnMapping')
  })

  test.each(['with_checkpoint', 'no_replay', 'stats_as_struct'])(
    '%s: the checkpoint says what the entries say',
    async (name) => {
      const store = foreignTable(name)
      const version = name === 'no_replay' ? 4 : 2
      const fromCheckpoint = (await loadSnapshot(store, '', { version }))!
      expect(store.calls.some((call) => call.startsWith('checkpoint.get'))).toBe(true)
      expect(fromCheckpoint.version).toBe(version)
      expect(fromCheckpoint.commitId).toMatch(/^[0-9a-f-]{36}$/)
      for (const file of fromCheckpoint.files.values()) expect(numRecordsOf(file.stats)).toBeGreaterThan(0)
    },
  )

  test('stats_as_struct: statistics from the columns of the checkpoint are those that the entries had', async () => {
    const store = foreignTable('stats_as_struct')
    const fromCheckpoint = (await loadSnapshot(store, '', { version: 2 }))!
    const entries = await loadCommits(store, '', 0, 2)
    const written = new Map<string, string | undefined>()
    for (const { actions } of entries) {
      for (const action of actions) if (action.kind === 'add') written.set(action.path, action.stats)
    }
    for (const { path, stats } of fromCheckpoint.files.values()) {
      expect(JSON.parse(stats!)).toEqual(JSON.parse(written.get(path)!))
    }
  })
})
