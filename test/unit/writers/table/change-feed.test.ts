import { describe, expect, test } from 'vitest'
import { field, struct } from '../../../../schemas/delta-types.ts'
import { type AddFile, removeOf } from '../../../../writers/delta/actions.ts'
import { loadSnapshot } from '../../../../writers/delta/load-snapshot.ts'
import { commitPath } from '../../../../writers/delta/log-path.ts'
import { readChanges } from '../../../../writers/table/change-feed.ts'
import { DeltaTable } from '../../../../writers/table/delta-table.ts'
import { HandMadeTable } from '../../../support/hand-made-table.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const SCHEMA = struct([field('id', 'integer'), field('v', 'string')])
const FEED_SCHEMA = struct([...SCHEMA.fields, field('_change_type', 'string')])
const FEED = { 'delta.enableChangeDataFeed': 'true' }

function table(configuration: Record<string, string> = FEED): HandMadeTable {
  return new HandMadeTable(new MemoryStore(), 't', SCHEMA, { configuration })
}

async function feed(table: HandMadeTable, from: number, to?: number) {
  const opened = await DeltaTable.open(table.store, 't', to === undefined ? {} : { version: to })
  const changes: string[] = []
  for await (const { version, type, cells } of opened!.changes({ from })) {
    changes.push(`${version} ${type} ${cells.join(' ')}`)
  }
  return changes
}

const ABC = [
  [1, 'a'],
  [2, 'b'],
  [3, 'c'],
]

function withVector(table: HandMadeTable, file: AddFile, rows: readonly number[]): AddFile {
  return { ...file, deletionVector: table.vector(rows) }
}

describe('what a version changed, by the rules of the protocol', () => {
  test('an added file is inserts, a removed one deletes, and deletes come first', async () => {
    const t = table()
    const first = t.file('one', ABC)
    t.commit([first])
    t.commit([t.file('two', [[1, 'z']]), removeOf(first, 9, true)])
    expect(await feed(t, 0)).toEqual([
      '1 insert 1 a',
      '1 insert 2 b',
      '1 insert 3 c',
      '2 delete 1 a',
      '2 delete 2 b',
      '2 delete 3 c',
      '2 insert 1 z',
    ])
  })

  test('a change file hides everything else of its version', async () => {
    const t = table()
    const first = t.file('one', ABC)
    t.commit([first])
    const changes = t.changeFile('_change_data/c', FEED_SCHEMA, [
      [1, 'a', 'update_preimage'],
      [1, 'z', 'update_postimage'],
    ])
    t.commit([removeOf(first, 9, true), t.file('two', [[1, 'z'], ...ABC.slice(1)]), changes])
    expect(await feed(t, 2)).toEqual(['2 update_preimage 1 a', '2 update_postimage 1 z'])
  })

  test('a file with another deletion vector is the rows that entered it, and those that left it', async () => {
    const t = table()
    const file = t.file('one', ABC)
    const without1 = withVector(t, file, [0])
    const without12 = withVector(t, file, [0, 1])
    const without3 = withVector(t, file, [2])
    t.commit([file])
    t.commit([removeOf(file, 9, true), without1])
    t.commit([removeOf(without1, 9, true), without12])
    t.commit([removeOf(without12, 9, true), without3])
    t.commit([removeOf(without3, 9, true), file])
    expect(await feed(t, 2)).toEqual([
      '2 delete 1 a',
      '3 delete 2 b',
      '4 delete 3 c',
      '4 insert 1 a',
      '4 insert 2 b',
      '5 insert 3 c',
    ])
  })

  test('of a removed file, and of one that comes with a vector, only the live rows count', async () => {
    const t = table()
    const file = withVector(t, t.file('one', ABC), [1])
    t.commit([file])
    t.commit([removeOf(file, 9, true)])
    expect(await feed(t, 1)).toEqual(['1 insert 1 a', '1 insert 3 c', '2 delete 1 a', '2 delete 3 c'])
  })

  test('dataChange: false is silent', async () => {
    const t = table()
    const file = t.file('one', ABC)
    t.commit([file])
    t.commit([removeOf(file, 9, false), { ...t.file('two', ABC), dataChange: false }])
    expect(await feed(t, 2)).toEqual([])
  })

  test('a remove that does not tell its size is read all the same', async () => {
    const t = table()
    t.commit([t.file('one', ABC.slice(0, 1))])
    t.commit([{ kind: 'remove', path: 'one', dataChange: true, deletionTimestamp: 9 }])
    expect(await feed(t, 2)).toEqual(['2 delete 1 a'])
  })

  test('rows of partitions have the values that the log says; a remove that does not say is refused', async () => {
    const options = { configuration: FEED, partitionColumns: ['v'] }
    const t = new HandMadeTable(new MemoryStore(), 't', SCHEMA, options)
    const file = t.file('one', [[1]], { v: 'x y' })
    t.commit([file])
    t.commit([removeOf(file, 9, true)])
    expect(await feed(t, 1)).toEqual(['1 insert 1 x y', '2 delete 1 x y'])
    t.commit([file])
    t.commit([{ kind: 'remove', path: 'one', dataChange: true, size: file.size }])
    await expect(feed(t, 3)).rejects.toMatchObject({ code: 'E_NO_CHANGE_FEED', remedy: 'usage' })
  })

  test('older rows are read by the newest schema: what they lack is null', async () => {
    const t = table()
    t.commit([t.file('one', ABC.slice(0, 1))])
    t.commit([t.metadata(FEED, struct([field('added', 'long'), field('id', 'long')]))])
    expect(await feed(t, 0)).toEqual(['1 insert  1'])
    expect(await feed(t, 0, 1)).toEqual(['1 insert 1 a'])
  })

  test('many versions and many rows come whole and in order', async () => {
    const t = table()
    for (let i = 1; i <= 40; i++) t.commit([t.file(`f${i}`, [[i, 'x']])])
    const file = t.file(
      'big',
      Array.from({ length: 25_000 }, (_, i) => [i, 'y']),
    )
    t.commit([file])
    t.commit([
      removeOf(file, 9, true),
      withVector(
        t,
        file,
        Array.from({ length: 24_000 }, (_, i) => i),
      ),
    ])
    expect(await feed(t, 0, 40)).toEqual(Array.from({ length: 40 }, (_, i) => `${i + 1} insert ${i + 1} x`))
    const deletes = await feed(t, 42)
    expect(deletes).toEqual(Array.from({ length: 24_000 }, (_, i) => `42 delete ${i} y`))
  })
})

describe('the time of a change', () => {
  test('is that of the commit, or of its entry where the commit has none', async () => {
    const t = table()
    t.commit([t.file('one', ABC.slice(0, 1))])
    t.store.nowMs = 1_234_567_890_123
    t.commit([t.file('two', ABC.slice(1, 2))], { timestamp: undefined })
    const times: number[] = []
    for await (const { timestampMs } of (await DeltaTable.open(t.store, 't'))!.changes({ from: 0 })) {
      times.push(timestampMs)
    }
    expect(times).toEqual([1_700_000_001_000, 1_234_567_890_123])
  })
})

describe('what there is no feed of', () => {
  test('the version after the newest has no changes yet, and one after that is a mistake', async () => {
    const t = table()
    t.commit([t.file('one', ABC)])
    expect(await feed(t, 2)).toEqual([])
    await expect(feed(t, 3)).rejects.toMatchObject({ code: 'E_NO_SUCH_VERSION', remedy: 'usage' })
  })

  test('a version at which the feed was off is told of all the same to whoever asks what the files tell', async () => {
    const t = table({})
    t.commit([t.file('one', ABC.slice(0, 1))])
    const to = (await loadSnapshot(t.store, 't'))!
    const told: unknown[] = []
    for await (const { type, version } of readChanges(t.store, 't', { from: 0, to, alsoWhenOff: true })) {
      told.push([type, version])
    }
    expect(told).toEqual([['insert', 1]])
  })

  test('a version at which the feed was off, also when it was on before and after', async () => {
    const t = table({})
    t.commit([t.file('one', ABC)])
    await expect(feed(t, 0)).rejects.toMatchObject({ code: 'E_NO_CHANGE_FEED', remedy: 'usage' })
    t.commit([t.metadata(FEED)])
    t.commit([t.file('two', ABC.slice(0, 1))])
    expect(await feed(t, 2)).toEqual(['3 insert 1 a'])
    await expect(feed(t, 1)).rejects.toMatchObject({ code: 'E_NO_CHANGE_FEED' })
    t.commit([t.metadata({})])
    t.commit([t.metadata(FEED)])
    await expect(feed(t, 3)).rejects.toThrow('off at version 4')
  })

  test('versions whose log entries or files are gone', async () => {
    const t = table()
    const file = t.file('one', ABC)
    t.commit([file])
    t.commit([removeOf(file, 9, true)])
    t.commit([t.file('two', ABC)])
    await t.store.delete('vacuum', 't/one')
    await expect(feed(t, 2)).rejects.toMatchObject({ code: 'E_FEED_EXPIRED', remedy: 'usage' })
    expect(await feed(t, 3)).toHaveLength(3)
    const newest = (await DeltaTable.open(t.store, 't'))!
    await t.store.delete('clean', commitPath('t', 1))
    const read = async () => {
      for await (const _ of newest.changes({ from: 1 }));
    }
    await expect(read()).rejects.toThrow('the changes of version 1 are no longer kept')
  })
})
