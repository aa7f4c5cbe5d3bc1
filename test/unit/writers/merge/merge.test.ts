import { randomBytes } from 'node:crypto'
import { parquetMetadata } from 'hyparquet'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../../../schemas/change-event.ts'
import type { TableContract } from '../../../../schemas/contract.ts'
import type { AddFile } from '../../../../writers/delta/actions.ts'
import { changeEvent, type EventParts } from '../../../support/change-event.ts'
import { ForeignWriter } from '../../../support/foreign-writer.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { TABLE_PATH, TestTable } from '../../../support/test-table.ts'

/** A merge that nobody ends. */
const NEVER = new AbortController().signal

let position = 100

function change(parts: EventParts): ChangeEvent {
  return changeEvent({ position: ++position, ...parts })
}

const create = (id: number, v = `v${id}`) => change({ after: { id: BigInt(id), v } })
const update = (id: number, v: string) => change({ before: { id: BigInt(id) }, after: { id: BigInt(id), v } })
const remove = (id: number) => change({ before: { id: BigInt(id) } })
const row = (id: number, v = `v${id}`) => ({ id: BigInt(id), v })

/** Text that no codec makes shorter. */
function noise(length: number): string {
  let state = 1
  const next = () => (state = Math.imul(state, 1_103_515_245) + 12_345)
  return Buffer.from(Uint8Array.from({ length }, () => next() >>> 16)).toString('base64')
}

/** A store that a test can hold at the first put of a site. */
class HeldStore extends MemoryStore {
  #site = ''
  #reached!: () => void
  #release: () => void = () => {}

  /** @returns fulfilled when the next put of the site has been asked for; it is not done before `release` */
  holdNext(site: string): Promise<void> {
    this.#site = site
    return new Promise((resolve) => {
      this.#reached = resolve
    })
  }

  release(): void {
    this.#release()
  }

  override async put(site: string, path: string, bytes: Uint8Array): Promise<void> {
    if (site === this.#site) {
      this.#site = ''
      const released = new Promise<void>((resolve) => {
        this.#release = resolve
      })
      this.#reached()
      await released
    }
    return super.put(site, path, bytes)
  }
}

/** A store that notes how long the parts are in which it gets an object. */
class PartsStore extends MemoryStore {
  readonly lengths: number[] = []

  override putParts(site: string, path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const { lengths } = this
    async function* noted() {
      for await (const part of parts) {
        lengths.push(part.length)
        yield part
      }
    }
    return super.putParts(site, path, noted())
  }
}

let store: HeldStore

beforeEach(() => {
  store = new HeldStore()
})

/** A table with a row in each of its files: ids 1 to `count`. */
async function tableOf(count: number, contract: Partial<TableContract> = {}): Promise<TestTable> {
  const table = await TestTable.open({ store, contract })
  for (let id = 1; id <= count; id++) await table.apply(create(id))
  return table
}

async function liveFiles(table: TestTable): Promise<readonly AddFile[]> {
  return [...(await table.snapshot()).files.values()]
}

describe('a merge', () => {
  test('writes the rows of small files into one, and changes none', async () => {
    const table = await tableOf(8)
    const before = await table.storedRows()
    expect(await table.writer.mergeWhenDue(NEVER)).toMatchObject({ filesRemoved: 8, rows: 8 })
    expect(await liveFiles(table)).toHaveLength(1)
    expect(await table.storedRows()).toEqual(before)
  })

  test('is a commit that no feed sees and that moves no position', async () => {
    const table = await tableOf(8)
    await table.writer.mergeWhenDue(NEVER)
    const actions = (await table.entries()).at(-1)!
    expect(new Set(actions.map(({ kind }) => kind))).toEqual(new Set(['commitInfo', 'remove', 'add']))
    expect(actions.every((action) => !('dataChange' in action) || !action.dataChange)).toBe(true)
    expect(actions[0]).toMatchObject({ operation: 'OPTIMIZE', isBlindAppend: false })
  })

  test('leaves deleted rows behind', async () => {
    const table = await TestTable.open({ store })
    for (let id = 1; id <= 8; id++) await table.apply(create(id), create(id + 100))
    await table.apply(remove(3), update(4, 'new'))
    await table.writer.mergeWhenDue(NEVER)
    const files = await liveFiles(table)
    expect(files.every((file) => file.deletionVector === undefined)).toBe(true)
    expect(await table.rows()).toHaveLength(15)
  })

  test('hands its file over in parts, so that wide rows are not held all at once', async () => {
    const parts = new PartsStore()
    const table = await TestTable.open({ store: parts })
    const wide = (id: number) => create(id, randomBytes(600_000).toString('base64'))
    for (let id = 0; id < 32; id += 4) await table.apply(wide(id), wide(id + 1), wide(id + 2), wide(id + 3))
    const before = await table.storedRows()
    expect(await table.writer.mergeWhenDue(NEVER)).toMatchObject({ filesRemoved: 8, rows: 32 })
    const [file] = await liveFiles(table)
    expect(parts.lengths.reduce((sum, length) => sum + length)).toBe(file!.size)
    expect(Math.max(...parts.lengths)).toBeLessThan(file!.size * 0.7)
    expect(await table.storedRows()).toEqual(before)
  })

  test('is not begun while nothing is due', async () => {
    const table = await tableOf(7)
    expect(await table.writer.mergeWhenDue(NEVER)).toBeNull()
    expect(await table.entries()).toHaveLength(7)
  })

  test('tells statistics of the merged rows', async () => {
    const table = await tableOf(8)
    await table.writer.mergeWhenDue(NEVER)
    const stats = JSON.parse((await liveFiles(table))[0]!.stats!)
    expect(stats).toMatchObject({
      numRecords: 8,
      minValues: { id: 1, v: 'v1' },
      maxValues: { id: 8, v: 'v8' },
    })
  })

  test('keeps partitions apart', async () => {
    const table = await TestTable.open({ store, contract: { partitionBy: ['v'] } })
    for (let id = 1; id <= 8; id++) await table.apply(create(id, 'a'), create(id + 100, 'b'))
    await table.writer.mergeWhenDue(NEVER)
    await table.writer.mergeWhenDue(NEVER)
    const files = await liveFiles(table)
    expect(files.map(({ partitionValues }) => partitionValues)).toEqual([{ v: 'a' }, { v: 'b' }])
    await table.apply(update(1, 'b'), remove(108))
    expect(await table.rows()).toHaveLength(15)
    expect((await table.rows()).filter(({ v }) => v === 'b')).toHaveLength(8)
  })
})

describe('rows are found after a merge', () => {
  test.each([
    ['by key', {}],
    ['by key, with files written anew', { merge: 'at-once' }],
    ['by key, with deleted rows kept', { deletes: 'soft' }],
  ] as const)('%s', async (_, contract) => {
    const table = await tableOf(8, contract)
    await table.writer.mergeWhenDue(NEVER)
    await table.apply(update(1, 'new'), remove(2))
    await table.apply(update(1, 'newer'))
    const rows = await table.storedRows()
    expect(rows.filter(({ id, _cdc_deleted }) => id === 1n && _cdc_deleted !== true)).toMatchObject([
      { v: 'newer' },
    ])
    expect(rows.filter(({ id, _cdc_deleted }) => id === 2n && _cdc_deleted !== true)).toEqual([])
    expect(rows.filter(({ id }) => id === 3n)).toHaveLength(1)
  })

  test('in a table without a key, each copy of equal rows for itself', async () => {
    const table = await TestTable.open({ store })
    const keyless = { key: null }
    for (let i = 0; i < 8; i++)
      await table.apply(change({ ...keyless, after: row(1) }), change({ ...keyless, after: row(2) }))
    await table.writer.mergeWhenDue(NEVER)
    expect(await liveFiles(table)).toHaveLength(1)
    await table.apply(change({ ...keyless, before: row(1) }), change({ ...keyless, before: row(1) }))
    expect((await table.rows()).filter(({ id }) => id === 1n)).toHaveLength(6)
    expect((await table.rows()).filter(({ id }) => id === 2n)).toHaveLength(8)
  })

  test('by an appending table nothing is looked up, and its files are merged', async () => {
    const table = await tableOf(8, { mode: 'append' })
    await table.writer.mergeWhenDue(NEVER)
    expect(await liveFiles(table)).toHaveLength(1)
    expect(await table.rows()).toHaveLength(8)
  })

  test('by another life of the writer', async () => {
    const table = await tableOf(8)
    await table.writer.mergeWhenDue(NEVER)
    await table.reopen()
    await table.apply(update(5, 'new'))
    expect((await table.rows()).filter(({ id }) => id === 5n)).toEqual([row(5, 'new')])
  })
})

describe('a stream that goes on while files are merged', () => {
  /** Runs `meanwhile` when the sources are read and the merged file is on its way to the store. */
  async function mergeWith(table: TestTable, meanwhile: () => Promise<void>) {
    const held = store.holdNext('data.put')
    const merging = table.writer.mergeWhenDue(NEVER)
    await held
    await meanwhile()
    store.release()
    return merging
  }

  test('rows that it deletes are deleted in the merged file', async () => {
    const table = await tableOf(8)
    const report = await mergeWith(table, async () => {
      await table.apply(update(1, 'new'), remove(2))
    })
    expect(report).toMatchObject({ rows: 8 })
    const merged = (await liveFiles(table)).filter((file) => file.deletionVector !== undefined)
    expect(merged.map(({ deletionVector }) => deletionVector!.cardinality)).toEqual([2])
    expect(await liveFiles(table)).toHaveLength(2)
    await table.apply(update(1, 'newer'), update(3, 'new'))
    expect(await table.rows()).toEqual([
      row(1, 'newer'),
      row(3, 'new'),
      ...[4, 5, 6, 7, 8].map((id) => row(id)),
    ])
  })

  test('finds the rows of large files again, which are taken over as they lie where none is deleted', async () => {
    const table = await TestTable.open({ store })
    const ids = Array.from({ length: 16_000 }, (_, i) => i + 1)
    await table.apply(...ids.map((id) => create(id)))
    await table.apply(...ids.map((id) => create(20_000 + id)))
    // Few rows, and as large as the others: together they are enough for a merge.
    for (let id = 50_001; id <= 50_006; id++) await table.apply(create(id, noise(200_000)))
    await table.apply(remove(20_003))
    const merging = mergeWith(table, async () => {
      await table.apply(remove(7), remove(20_007))
    })
    expect(await merging).toMatchObject({ filesRemoved: 8, rows: 32_005 })
    const [file] = await liveFiles(table)
    const { row_groups } = parquetMetadata(store.objects.get(`${TABLE_PATH}/${file!.path}`)!.bytes)
    expect(row_groups.map(({ num_rows }) => Number(num_rows))).toContain(16_000)
    await table.apply(update(8, 'new'), update(20_008, 'new'), update(50_006, 'new'))
    const rows = new Map((await table.rows()).map(({ id, v }) => [id, v]))
    expect(rows.size).toBe(32_003)
    for (const gone of [7n, 20_003n, 20_007n]) expect(rows.has(gone)).toBe(false)
    for (const [id, v] of rows) {
      if (id === 8n || id === 20_008n || id === 50_006n) expect(v).toBe('new')
      else if ((id as bigint) < 50_000n) expect(v).toBe(`v${id}`)
    }
  })

  test('rows that it adds are left alone', async () => {
    const table = await tableOf(8)
    await mergeWith(table, async () => {
      await table.apply(create(9))
    })
    expect(await liveFiles(table)).toHaveLength(2)
    expect(await table.rows()).toHaveLength(9)
  })

  test('a table that loses all its rows meanwhile keeps no merged file', async () => {
    const table = await tableOf(8)
    const report = await mergeWith(table, async () => {
      await table.apply(...[1, 2, 3, 4, 5, 6, 7].map(remove))
      await table.apply(update(8, 'new'))
    })
    expect(report).toBeNull()
    expect(await table.rows()).toEqual([row(8, 'new')])
  })

  test('a new column makes it give up', async () => {
    const table = await tableOf(8)
    const columns = { id: 'long', v: 'string', w: 'string' } as const
    const report = await mergeWith(table, async () => {
      await table.apply(change({ columns, after: { id: 9n, v: 'v9', w: 'w' } }))
    })
    expect(report).toBeNull()
    expect(await table.writer.mergeWhenDue(NEVER)).toMatchObject({ rows: 9 })
    await table.apply(change({ columns, before: { id: 1n }, after: { id: 1n, v: 'v1', w: 'w1' } }))
    expect(await table.rows()).toHaveLength(9)
  })

  test('files that are written anew meanwhile make it give up', async () => {
    const table = await tableOf(8, { merge: 'at-once' })
    const report = await mergeWith(table, async () => {
      await table.apply(update(1, 'new'))
    })
    expect(report).toBeNull()
    expect(await table.rows()).toHaveLength(8)
  })

  test('rows that a stranger deletes stay deleted', async () => {
    const table = await tableOf(8)
    await table.apply(...[11, 12, 13].map((id) => create(id)))
    await table.apply(...[21, 22, 23].map((id) => create(id)))
    const report = await mergeWith(table, async () => {
      await new ForeignWriter(store).deleteWhere(({ id }) => id === 11n || id === 22n)
    })
    expect(report).not.toBeNull()
    await table.apply(update(12, 'new'))
    const ids = (await table.rows()).map(({ id }) => Number(id))
    expect(ids.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 21, 23])
  })

  test('a stranger that takes its files makes it give up', async () => {
    const table = await tableOf(8)
    const report = await mergeWith(table, () => new ForeignWriter(store).optimize())
    expect(report).toBeNull()
    await table.apply(update(1, 'new'))
    expect(await table.rows()).toHaveLength(8)
  })

  test('a stranger that adds rows does not', async () => {
    const table = await tableOf(8)
    const report = await mergeWith(table, () => new ForeignWriter(store).insert(row(50, 'foreign')))
    expect(report).not.toBeNull()
    await table.apply(update(50, 'ours'))
    expect((await table.rows()).filter(({ id }) => id === 50n)).toEqual([row(50, 'ours')])
  })

  test('two merges never run at once', async () => {
    const table = await tableOf(8)
    let second: unknown = 'not asked'
    await mergeWith(table, async () => {
      second = await table.writer.mergeWhenDue(NEVER)
    })
    expect(second).toBeNull()
  })

  test('a merge that is told to end commits nothing', async () => {
    const table = await tableOf(8)
    const ending = new AbortController()
    const held = store.holdNext('data.put')
    const merging = table.writer.mergeWhenDue(ending.signal)
    await held
    ending.abort()
    store.release()
    expect(await merging).toBeNull()
    expect(await table.entries()).toHaveLength(8)
    expect(await table.writer.mergeWhenDue(NEVER)).not.toBeNull()
    expect(await table.rows()).toHaveLength(8)
  })

  test('a merge that fails leaves the writer able to go on', async () => {
    const table = await tableOf(8)
    store.before = (_, site) => {
      if (site === 'data.get') throw new Error('a bad disk')
    }
    await expect(table.writer.mergeWhenDue(NEVER)).rejects.toThrow('a bad disk')
    store.before = () => {}
    await table.apply(update(1, 'new'))
    expect(await table.writer.mergeWhenDue(NEVER)).not.toBeNull()
    expect(await table.rows()).toHaveLength(8)
  })

  test('a locator that cannot follow a stranger is made anew by the next flush', async () => {
    const table = await tableOf(8)
    await expect(
      mergeWith(table, async () => {
        await new ForeignWriter(store).insert(row(50, 'foreign'))
        store.before = (_, site, path) => {
          if (site === 'data.get' && path.includes('stranger')) throw new Error('a bad disk')
        }
      }),
    ).rejects.toThrow('a bad disk')
    store.before = () => {}
    await table.apply(update(50, 'ours'), update(1, 'new'))
    expect((await table.rows()).filter(({ id }) => id === 50n || id === 1n)).toEqual([
      row(1, 'new'),
      row(50, 'ours'),
    ])
  })
})
