import { describe, expect, test } from 'vitest'
import { checkpointPath, commitPath } from '../../../../writers/delta/log-path.ts'
import { listTables } from '../../../../writers/table/list-tables.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

function lakeOf(...paths: readonly string[]): MemoryStore {
  const store = new MemoryStore()
  for (const path of paths) store.seed(path, 'x')
  return store
}

async function tablesOf(store: MemoryStore, hidden = false): Promise<string[]> {
  const paths: string[] = []
  for await (const path of listTables(store, { hidden })) paths.push(path)
  return paths
}

describe('listTables', () => {
  test('finds tables at any depth, in path order, and nothing else', async () => {
    const store = lakeOf(
      'notes.txt',
      'a/readme',
      commitPath('a/t', 0),
      'a/t/0-sorts-before-the-log.parquet',
      'a/t/part.parquet',
      commitPath('a/t0', 3),
      checkpointPath('b/deep/er', 100),
      'c/no-table/part.parquet',
      'c/no-table/_delta_log/_last_checkpoint',
      commitPath('z', 0),
    )
    expect(await tablesOf(store)).toEqual(['a/t', 'a/t0', 'b/deep/er', 'z'])
  })

  test('what lies in a table is no table of its own', async () => {
    const store = lakeOf(commitPath('t', 0), commitPath('t/inner', 0), commitPath('t/_change_data', 0))
    expect(await tablesOf(store)).toEqual(['t'])
  })

  test('hidden folders are looked into only when they are asked for', async () => {
    const store = lakeOf(
      commitPath('_alluvium/p', 0),
      commitPath('_dlq', 0),
      commitPath('a/.old/t', 0),
      commitPath('a/t', 0),
    )
    expect(await tablesOf(store)).toEqual(['a/t'])
    expect(await tablesOf(store, true)).toEqual(['_alluvium/p', '_dlq', 'a/.old/t', 'a/t'])
  })

  test('the lake itself may be a table, and an empty lake has none', async () => {
    expect(await tablesOf(lakeOf(commitPath('', 0), 'x/part.parquet'))).toEqual([''])
    expect(await tablesOf(new MemoryStore())).toEqual([])
  })

  test('goes through many files that belong to no table', async () => {
    const strays = Array.from({ length: 1000 }, (_, i) => `a/${i}`)
    expect(await tablesOf(lakeOf(...strays, commitPath('b', 0)))).toEqual(['b'])
  })

  test('asks for as much whether a table has ten files or ten thousand', async () => {
    const calls = async (files: number) => {
      const data = Array.from({ length: files }, (_, i) => `a/t/_change_data/${i}`)
      const store = lakeOf(...data, commitPath('a/t', 0), commitPath('b', 0))
      expect(await tablesOf(store)).toEqual(['a/t', 'b'])
      return store.calls.length
    }
    expect(await calls(10_000)).toBe(await calls(10))
  })
})
