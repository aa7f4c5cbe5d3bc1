import { describe, expect, test } from 'vitest'
import { type Cell, field, struct } from '../../../../schemas/delta-types.ts'
import { removeOf } from '../../../../writers/delta/actions.ts'
import { DeltaTable, type ReadOptions } from '../../../../writers/table/delta-table.ts'
import { HandMadeTable } from '../../../support/hand-made-table.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const SCHEMA = struct([field('id', 'long'), field('v', 'string'), field('n', 'integer')])

/** Counts the bytes that are read of data files. */
class CountingStore extends MemoryStore {
  dataBytes = 0

  override async getRange(site: string, path: string, start: number, end: number) {
    const bytes = await super.getRange(site, path, start, end)
    if (site === 'data.get') this.dataBytes += bytes?.length ?? 0
    return bytes
  }
}

async function rowsOf(table: DeltaTable | null, options: ReadOptions = {}): Promise<(readonly Cell[])[]> {
  const rows: (readonly Cell[])[] = []
  for await (const row of table!.rows(options)) rows.push(row)
  return rows
}

function smallTable(): HandMadeTable {
  const t = new HandMadeTable(new MemoryStore(), 'a/t', SCHEMA)
  const file = t.file('one', [
    [1n, 'a', 10],
    [2n, 'b', 20],
    [3n, 'c', 30],
  ])
  t.commit([file])
  t.commit([
    removeOf(file, 9, true),
    { ...file, deletionVector: t.vector([0]) },
    t.file('two', [[4n, 'd', 40]]),
  ])
  return t
}

describe('DeltaTable', () => {
  test('reads live rows across files, up to a limit', async () => {
    const { store } = smallTable()
    const table = await DeltaTable.open(store, 'a/t')
    expect(table).toMatchObject({ version: 2, rowCount: 3, path: 'a/t' })
    const ids = async (options: ReadOptions) => (await rowsOf(table, options)).map(([id]) => id)
    expect((await ids({})).sort()).toEqual([2n, 3n, 4n])
    expect((await ids({ limit: 10 })).sort()).toEqual([2n, 3n, 4n])
    expect(await ids({ limit: 2 })).toHaveLength(2)
    expect(await ids({ limit: 0 })).toEqual([])
  })

  test('reads the columns that are named, in their order, and names those there are', async () => {
    const { store } = smallTable()
    const table = await DeltaTable.open(store, 'a/t', { version: 1 })
    expect(await rowsOf(table, { columns: ['n', 'id'], limit: 1 })).toEqual([[10, 1n]])
    expect(await rowsOf(table, { columns: ['v'] })).toEqual([['a'], ['b'], ['c']])
    await expect(rowsOf(table, { columns: ['id', 'w'] })).rejects.toMatchObject({
      code: 'E_NO_COLUMN',
      remedy: 'usage',
      message: 'the table has no column w; it has id, v, n',
    })
  })

  test('a path without a table is null, a version that is not there an error', async () => {
    const { store } = smallTable()
    expect(await DeltaTable.open(store, 'a')).toBeNull()
    await expect(DeltaTable.open(store, 'a/t', { version: 3 })).rejects.toMatchObject({
      code: 'E_NO_SUCH_VERSION',
    })
  })

  test('some rows of a large table cost a few pages, wherever its first live row is', async () => {
    const store = new CountingStore()
    const parquet = { pageRows: 2000, rowGroupRows: 50_000, codec: 'uncompressed' } as const
    const t = new HandMadeTable(store, 't', SCHEMA, { parquet })
    const rows = Array.from({ length: 60_000 }, (_, i) => [BigInt(i), `value ${i}`, i])
    const file = t.file('big', rows)
    const deleted = Array.from({ length: 55_000 }, (_, i) => i)
    t.commit([{ ...file, deletionVector: t.vector(deleted) }, t.file('big2', rows), t.file('big3', rows)])

    const table = await DeltaTable.open(store, 't')
    expect((await rowsOf(table, { limit: 10 })).map(([id]) => id)).toEqual(
      Array.from({ length: 10 }, (_, i) => BigInt(55_000 + i)),
    )
    expect(file.size).toBeGreaterThan(1_500_000)
    expect(store.dataBytes).toBeLessThan(300_000)

    store.dataBytes = 0
    expect(await rowsOf(table, { limit: 10, columns: ['n'] })).toHaveLength(10)
    expect(store.dataBytes).toBeLessThan(150_000)
  })
})
