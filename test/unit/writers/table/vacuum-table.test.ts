import { beforeEach, describe, expect, test } from 'vitest'
import { optimizeTable } from '../../../../writers/merge/optimize-table.ts'
import { restoreTable } from '../../../../writers/table/restore-table.ts'
import { vacuumTable } from '../../../../writers/table/vacuum-table.ts'
import { changeEvent } from '../../../support/change-event.ts'
import { ForeignWriter } from '../../../support/foreign-writer.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { testPorts } from '../../../support/test-ports.ts'
import { TABLE_PATH, TestTable } from '../../../support/test-table.ts'

const HOUR = 3_600_000
const NEVER = new AbortController().signal

let table: TestTable
let store: MemoryStore
let position = 100

const insert = (id: number) => changeEvent({ position: ++position, after: { id: BigInt(id), v: `v${id}` } })
const update = (id: number, v: string) =>
  changeEvent({ position: ++position, before: { id: BigInt(id), v: `v${id}` }, after: { id: BigInt(id), v } })

/** Ten files, the first of them with a deletion vector, and a change file. */
beforeEach(async () => {
  store = new MemoryStore()
  table = await TestTable.open({ store, contract: { changeFeed: 'full' } })
  await table.apply(insert(100), insert(101))
  for (let id = 1; id <= 8; id++) await table.apply(insert(id))
  await table.apply(update(100, 'new'))
})

function vacuum(afterMs: number, options: { retentionMs?: number; dryRun?: boolean } = {}) {
  return vacuumTable(store, TABLE_PATH, { nowMs: store.nowMs + afterMs, dryRun: false, ...options })
}

function names(files: readonly { readonly path: string }[]): string[] {
  return files
    .map(({ path }) => path.slice(TABLE_PATH.length + 1).replace(/[0-9a-f]{8}-[-0-9a-f]+/, 'N'))
    .sort()
}

describe('vacuum', () => {
  test('takes nothing that a version inside the retention needs', async () => {
    await optimizeTable(testPorts(store), TABLE_PATH, NEVER)
    expect((await vacuum(23 * HOUR))!.files).toEqual([])
  })

  test('takes data files, vectors and change files once the retention has passed', async () => {
    await optimizeTable(testPorts(store), TABLE_PATH, NEVER)
    const rows = await table.rows()
    const { files } = (await vacuum(25 * HOUR))!
    expect(names(files)).toEqual([
      '_change_data/cdc-00000-N.c000.snappy.parquet',
      'deletion_vector_N.bin',
      ...new Array(10).fill('part-00000-N.c000.snappy.parquet'),
    ])
    expect(await table.rows()).toEqual(rows)
  })

  test('keeps the live files and their vectors for ever', async () => {
    const rows = await table.rows()
    expect(names((await vacuum(1000 * HOUR))!.files)).toEqual([
      '_change_data/cdc-00000-N.c000.snappy.parquet',
    ])
    expect(await table.rows()).toEqual(rows)
  })

  test('spares for an hour what no commit names yet, whatever retention is asked for', async () => {
    store.seed(`${TABLE_PATH}/staged.parquet`, 'on its way')
    expect((await vacuum(HOUR - 1, { retentionMs: 0 }))!.files).toEqual([])
    expect(names((await vacuum(HOUR + 1, { retentionMs: 0 }))!.files)).toContain('staged.parquet')
  })

  test('leaves alone what is not the table’s own', async () => {
    for (const path of [
      '_graves/1',
      '.hidden/x.parquet',
      '_delta_log/_notes',
      'inner/_delta_log/0.json',
      'inner/x.parquet',
    ]) {
      store.seed(`${TABLE_PATH}/${path}`, 'not ours')
    }
    store.seed(`${TABLE_PATH}-2/x.parquet`, 'a neighbour')
    store.seed(`${TABLE_PATH}/_p=1/x.parquet`, 'a partition')
    const { files } = (await vacuum(1000 * HOUR))!
    expect(names(files)).toEqual(['_change_data/cdc-00000-N.c000.snappy.parquet', '_p=1/x.parquet'])
  })

  test('leaves alone what processes of a pipeline say to each other beside its passed mark', async () => {
    for (const [path, { bytes }] of store.objects) {
      if (path.includes('_delta_log')) store.seed(path.replace(TABLE_PATH, '_alluvium/p'), bytes)
    }
    store.seed('_alluvium/p/requests/1.json', '{}')
    const report = await vacuumTable(store, '_alluvium/p', { nowMs: store.nowMs + 1000 * HOUR, dryRun: true })
    expect(report!.files).toEqual([])
  })

  test('tells what would go without taking it', async () => {
    const before = store.objects.size
    const { files } = (await vacuum(1000 * HOUR, { dryRun: true }))!
    expect(files).toHaveLength(1)
    expect(store.objects.size).toBe(before)
  })

  test('finds no table where there is none', async () => {
    expect(await vacuumTable(store, 'elsewhere', { nowMs: 0, dryRun: false })).toBeNull()
  })
})

describe('optimize', () => {
  test('makes one file of all small ones, beside an owner that goes on', async () => {
    const rows = await table.rows()
    const reports = await optimizeTable(testPorts(store), TABLE_PATH, NEVER)
    expect(reports).toMatchObject([{ filesRemoved: 10, rows: 10 }])
    expect(await table.rows()).toEqual(rows)
    await table.apply(update(3, 'new'))
    expect((await table.rows()).filter(({ id }) => id === 3n)).toEqual([{ id: 3n, v: 'new' }])
    expect(await table.rows()).toHaveLength(10)
  })

  test('does nothing twice', async () => {
    await optimizeTable(testPorts(store), TABLE_PATH, NEVER)
    expect(await optimizeTable(testPorts(store), TABLE_PATH, NEVER)).toEqual([])
  })
})

describe('restore', () => {
  test('brings back the rows of an older version, and keeps how far topics were read', async () => {
    const next = table.writer.nextOffset('shop.public.items', 0)
    const { version } = await table.snapshot()
    expect(await restoreTable(testPorts(store), TABLE_PATH, 4)).toEqual({
      version: version + 1,
      filesRestored: 1,
      filesRemoved: 6,
    })
    expect((await table.rows()).map(({ id, v }) => `${id} ${v}`)).toEqual([
      ...['100 v100', '101 v101', '1 v1', '2 v2', '3 v3', '4 v4'],
    ])
    await table.reopen({}, true)
    expect(table.writer.nextOffset('shop.public.items', 0)).toBe(next)
    await table.apply(update(1, 'after'))
    expect((await table.rows()).filter(({ id }) => id === 1n)).toEqual([{ id: 1n, v: 'after' }])
  })

  test('stops whoever writes the table, until that is told to go on', async () => {
    await restoreTable(testPorts(store), TABLE_PATH, 4)
    await expect(table.apply(update(1, 'after'))).rejects.toMatchObject({
      code: 'E_RESTORED',
      remedy: 'stop-table',
    })
    await table.reopen({}, true)
    await table.apply(update(1, 'after'))
    expect((await table.rows()).filter(({ id }) => id === 1n)).toEqual([{ id: 1n, v: 'after' }])
  })

  test('stops whoever opens the table after it, until somebody has gone on', async () => {
    await restoreTable(testPorts(store), TABLE_PATH, 4)
    await new ForeignWriter(store).setProperty('theirs', '1')
    await expect(table.reopen()).rejects.toMatchObject({ code: 'E_RESTORED', remedy: 'stop-table' })
    await table.reopen({}, true)
    await table.apply(update(1, 'after'))
    await table.reopen()
    expect((await table.rows()).filter(({ id }) => id === 1n)).toEqual([{ id: 1n, v: 'after' }])
  })

  test('does nothing for the version that the table has', async () => {
    const { version } = await table.snapshot()
    expect(await restoreTable(testPorts(store), TABLE_PATH, version)).toBeNull()
  })

  test('is refused when a file of the version is gone', async () => {
    await optimizeTable(testPorts(store), TABLE_PATH, NEVER)
    await vacuum(25 * HOUR)
    await expect(restoreTable(testPorts(store), TABLE_PATH, 4)).rejects.toMatchObject({
      code: 'E_RESTORE_EXPIRED',
      remedy: 'usage',
    })
  })
})

test.each<[string, () => Promise<unknown>]>([
  ['optimize', () => optimizeTable(testPorts(store), TABLE_PATH, NEVER)],
  ['restore', () => restoreTable(testPorts(store), TABLE_PATH, 4)],
])('%s gives up when whoever was first brought a feature that we do not know', async (_, work) => {
  const foreign = new ForeignWriter(store)
  const putIfAbsent = store.putIfAbsent.bind(store)
  store.putIfAbsent = async (...call) => {
    store.putIfAbsent = putIfAbsent
    await foreign.commit(async ({ protocol }) => [
      { ...protocol, writerFeatures: [...protocol.writerFeatures!, 'unheardOf'] },
    ])
    return putIfAbsent(...call)
  }
  await expect(work()).rejects.toMatchObject({ code: 'E_TABLE_FEATURE', remedy: 'stop-table' })
})
