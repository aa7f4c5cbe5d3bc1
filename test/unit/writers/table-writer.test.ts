import { describe, expect, test } from 'vitest'
import type { TableContract } from '../../../schemas/contract.ts'
import { UNAVAILABLE } from '../../../schemas/delta-types.ts'
import type { AddFile, RemoveFile } from '../../../writers/delta/actions.ts'
import { lastCheckpointPath } from '../../../writers/delta/log-path.ts'
import { liveRowCount } from '../../../writers/table/row-count.ts'
import { changeEvent } from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { TestTable } from '../../support/test-table.ts'

function insert(id: number, v: string, position: number, more = {}) {
  return changeEvent({ after: { id: BigInt(id), v }, position, ...more })
}

function update(id: number, v: string, position: number, was?: string) {
  const before = was === undefined ? null : { id: BigInt(id), v: was }
  return changeEvent({ op: 'u', before, after: { id: BigInt(id), v }, position })
}

function remove(id: number, position: number, was = '') {
  return changeEvent({ before: { id: BigInt(id), v: was }, position })
}

function truncate(position: number, more = {}) {
  return changeEvent({ op: 't', position, ...more })
}

async function filesOf(table: TestTable): Promise<AddFile[]> {
  return [...(await table.snapshot()).files.values()]
}

describe('a table writer', () => {
  test('makes the table with its first rows, under the names that the format promises', async () => {
    const table = await TestTable.open()
    expect([table.writer.version, table.writer.rowCount]).toEqual([null, 0])
    await table.apply(insert(1, 'a', 10))
    const { schema, metadata } = await table.snapshot()
    expect(schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id long',
      'v string',
      '_cdc_epoch integer',
      '_cdc_seq long',
      '_cdc_lsn long',
      '_cdc_txid long',
      '_cdc_ts timestamp',
    ])
    expect(metadata).toMatchObject({ name: 'public.items', partitionColumns: [] })
    expect(metadata.configuration).toMatchObject({
      'alluvium.format': '1',
      'alluvium.source': '["shop","shopdb","public","items"]',
      'alluvium.mode': 'upsert',
      'alluvium.key': '["id"]',
      'delta.enableDeletionVectors': 'true',
      'delta.enableChangeDataFeed': 'true',
    })
    expect([table.writer.version, table.writer.rowCount]).toEqual([0, 1])
  })

  test('keeps the position of the last event of a row beside it', async () => {
    const table = await TestTable.open()
    await table.apply(changeEvent({ after: { id: 1n }, position: [70, 90], tx: 5, time: 1_000_001 }))
    expect(await table.storedRows()).toMatchObject([
      { _cdc_epoch: 0, _cdc_seq: 70n, _cdc_lsn: 90n, _cdc_txid: 5n, _cdc_ts: 1_000_001n },
    ])
    await table.apply(
      changeEvent({ op: 'r', after: { id: 1n, v: 'read' }, position: null, lsn: 95, tx: null, time: 7 }),
    )
    expect(await table.storedRows()).toMatchObject([{ v: 'read', _cdc_seq: 70n, _cdc_lsn: 90n, _cdc_ts: 7n }])
    await table.apply(changeEvent({ op: 'r', after: { id: 2n }, position: null, lsn: 95 }))
    expect((await table.storedRows())[1]).toMatchObject({
      id: 2n,
      _cdc_epoch: null,
      _cdc_seq: null,
      _cdc_lsn: null,
    })
  })

  test('counts what a batch does, and gives Spark its numbers', async () => {
    const table = await TestTable.open()
    await table.apply(insert(1, 'a', 10), insert(2, 'b', 11), insert(3, 'c', 12))
    const report = await table.apply(
      update(1, 'A', 20),
      remove(2, 21),
      insert(4, 'd', 22),
      remove(9, 23),
      update(4, 'D', 24),
    )
    expect(report).toMatchObject({
      version: 1,
      counts: { inserted: 1, updated: 1, deleted: 1 },
      tally: { applied: 4, superseded: 1 },
    })
    const [info] = (await table.entries())[1]!
    expect(info).toMatchObject({
      operation: 'MERGE',
      isBlindAppend: false,
      readVersion: 0,
      engineInfo: 'alluvium',
      operationMetrics: {
        numTargetRowsInserted: '1',
        numTargetRowsUpdated: '1',
        numTargetRowsDeleted: '1',
      },
    })
  })

  test('commits nothing for a batch that changes nothing, and knows it as passed', async () => {
    const table = await TestTable.open()
    const first = insert(1, 'a', 10, { offset: 100 })
    await table.apply(first)
    const again = { ...first, at: { ...first.at, offset: 101n } }
    const gone = remove(9, 20)
    const report = await table.apply(again, { ...gone, at: { ...gone.at, offset: 102n } })
    expect(report).toMatchObject({ version: 0, tally: { applied: 1, duplicates: 1 } })
    expect(table.writer.nextOffset('shop.public.items', 0)).toBe(103n)
    expect(table.writer.hasPassed({ ...first.at, offset: 102n })).toBe(true)
    expect(table.writer.hasPassed({ ...first.at, offset: 103n })).toBe(false)
    expect(table.writer.nextOffset('shop.public.items', 1)).toBeNull()
    await table.reopen()
    expect(table.writer.nextOffset('shop.public.items', 0)).toBe(101n)
  })

  test('does not bring back a row that came and went in a batch, when its beginning is sent again', async () => {
    const table = await TestTable.open()
    await table.apply(insert(1, 'a', 10))
    await table.apply(insert(2, 'b', 20), remove(2, 21))
    expect((await table.apply(insert(2, 'b', 20))).tally).toMatchObject({ duplicates: 1, applied: 0 })
    expect(await table.rows()).toEqual([{ id: 1n, v: 'a' }])
  })

  test('finds in a checkpoint all that it found in the entries', async () => {
    const table = await TestTable.open()
    for (let i = 0; i < 130; i++) {
      await table.apply(i % 3 === 2 ? remove(i - 1, 10 + i) : insert(i, `row ${i}`, 10 + i))
    }
    await table.writer.upkeepWhenDue()
    const rows = await table.rows()
    expect(rows).toHaveLength(44)
    expect(table.store.objects.has(lastCheckpointPath('public/items'))).toBe(true)
    const next = table.writer.nextOffset('shop.public.items', 0)
    await table.reopen()
    expect(table.writer.nextOffset('shop.public.items', 0)).toBe(next)
    expect(await table.rows()).toEqual(rows)
    const report = await table.apply(insert(1, 'sent again', 11), update(0, 'changed', 200))
    expect(report.tally).toMatchObject({ applied: 1, duplicates: 1 })
    expect((await table.rows()).find(({ id }) => id === 0n)).toEqual({ id: 0n, v: 'changed' })
  })

  test('gives each version a later time than the one before', async () => {
    const table = await TestTable.open()
    for (let i = 0; i < 4; i++) await table.apply(insert(i, 'x', 10 + i))
    const times = (await table.entries()).map(([info]) => (info as { timestamp: number }).timestamp)
    expect(times).toEqual([...new Set(times)].sort())
  })

  test('takes a truncate alone', async () => {
    const table = await TestTable.open()
    expect(table.writer.mustFlushBefore(truncate(1))).toBe(false)
    table.writer.add(insert(1, 'a', 10))
    expect(table.writer.mustFlushBefore(truncate(20))).toBe(true)
    await table.flush()
    table.writer.add(truncate(20))
    expect(table.writer.mustFlushBefore(insert(2, 'b', 30))).toBe(true)
    expect(table.writer.buffered).toMatchObject({ count: 1, sizeBytes: 100 })
    await table.flush()
    expect(table.writer.buffered.count).toBe(0)
    expect(await table.rows()).toEqual([])
  })
})

describe('a truncate', () => {
  test('empties rows with older positions and rows with none, and no others', async () => {
    const table = await TestTable.open()
    await table.apply(
      changeEvent({ op: 'r', after: { id: 1n, v: 'read' }, position: null, lsn: 5, partition: 1 }),
      insert(2, 'older', 10, { partition: 1 }),
      insert(3, 'newer', 30, { partition: 1 }),
    )
    const report = await table.apply(truncate(20))
    expect(report).toMatchObject({ counts: { deleted: 2 }, tally: { applied: 1 } })
    expect(await table.rows()).toEqual([{ id: 3n, v: 'newer' }])
  })

  test('holds for what arrives late, snapshot rows too, and after a restart', async () => {
    const table = await TestTable.open()
    await table.apply(insert(1, 'a', 10))
    await table.apply(truncate(20))
    await table.reopen()
    const report = await table.apply(
      insert(2, 'late', 15, { partition: 1 }),
      changeEvent({ op: 'r', after: { id: 3n }, position: null, lsn: 19, partition: 1 }),
      changeEvent({ op: 'r', after: { id: 4n, v: 'read after' }, position: null, lsn: 25, partition: 1 }),
      insert(5, 'after', 30, { partition: 1 }),
    )
    expect(report.tally).toMatchObject({ applied: 2, stale: 2 })
    expect((await table.rows()).map(({ v }) => v)).toEqual(['read after', 'after'])
  })

  test('holds for rows of an incremental snapshot that were read before it, whatever their partition', async () => {
    const table = await TestTable.open()
    await table.apply(insert(1, 'a', 10))
    await table.apply(truncate(20))
    const read = (id: bigint, seq: bigint, lsn: bigint) =>
      changeEvent({ op: 'r', after: { id }, position: null, partition: 1, readAfter: { epoch: 0, seq, lsn } })
    // The last event before the third row stands lower in the log and was committed later.
    await table.apply(read(2n, 10n, 10n), read(3n, 20n, 20n), read(4n, 40n, 15n))
    expect((await table.rows()).map(({ id }) => id)).toEqual([3n, 4n])
  })

  test('of a table that is not there yet holds for the rows that make it, and after them', async () => {
    const table = await TestTable.open()
    await table.apply(truncate(20))
    expect(table.writer.version).toBeNull()
    await table.apply(insert(1, 'late', 10, { partition: 1 }), insert(2, 'after', 30, { partition: 1 }))
    await table.reopen()
    await table.apply(insert(3, 'late', 15, { partition: 2 }))
    expect(await table.rows()).toEqual([{ id: 2n, v: 'after' }])
  })

  test('that is sent again changes nothing', async () => {
    const table = await TestTable.open()
    await table.apply(insert(1, 'a', 10))
    await table.apply(truncate(20))
    await table.apply(insert(2, 'b', 30))
    const report = await table.apply(truncate(20))
    expect(report).toMatchObject({ version: 2, tally: { duplicates: 1, applied: 0 } })
    expect(await table.rows()).toEqual([{ id: 2n, v: 'b' }])
  })

  test('that comes by a second partition is the same truncate', async () => {
    const table = await TestTable.open()
    await table.apply(insert(1, 'a', 10), truncate(20))
    const report = await table.apply(truncate(20, { partition: 1 }))
    expect(report).toMatchObject({ version: 1, tally: { duplicates: 1, applied: 0 } })
  })

  test('is a row like the others in a log of events', async () => {
    const table = await TestTable.open({ contract: { mode: 'append' } })
    await table.apply(insert(1, 'a', 10), truncate(20), insert(2, 'b', 30))
    expect((await table.storedRows()).map((row) => row['_cdc_op']).sort()).toEqual(['c', 'c', 't'])
    expect(table.writer.version).toBe(0)
  })
})

describe('the files of a commit', () => {
  test('have one file of deletion vectors, whatever the number of data files', async () => {
    const table = await TestTable.open()
    await table.apply(insert(1, 'a', 10), insert(2, 'b', 11))
    await table.apply(insert(3, 'c', 12), insert(4, 'd', 13))
    await table.apply(remove(1, 20), remove(3, 21))
    expect([...table.store.objects.keys()].filter((path) => path.endsWith('.bin'))).toHaveLength(1)
    const files = await filesOf(table)
    expect(files.map(({ deletionVector }) => deletionVector?.cardinality)).toEqual([1, 1])
    expect(files.map(({ stats }) => JSON.parse(stats!))).toMatchObject([
      { numRecords: 2, tightBounds: false },
      { numRecords: 2, tightBounds: false },
    ])
  })

  test('add up what a file has lost, and drop it with its last row', async () => {
    const table = await TestTable.open({ contract: { changeFeed: 'off' } })
    await table.apply(insert(1, 'a', 10), insert(2, 'b', 11), insert(3, 'c', 12))
    await table.apply(remove(1, 20))
    await table.apply(remove(3, 21))
    const [file] = await filesOf(table)
    expect(file!.deletionVector!.cardinality).toBe(2)
    await table.apply(remove(2, 22))
    expect(await filesOf(table)).toEqual([])
    const removed = (await table.entries())
      .at(-1)!
      .find((action): action is RemoveFile => action.kind === 'remove')
    expect(removed).toMatchObject({
      path: file!.path,
      deletionVector: file!.deletionVector,
      size: file!.size,
    })
    expect(liveRowCount(await table.snapshot())).toBe(0)
  })

  test('are one for each partition, whose values only the log tells', async () => {
    const table = await TestTable.open({ contract: { partitionBy: ['v'] } })
    await table.apply(
      insert(1, 'a', 10),
      insert(2, 'a/b c', 11),
      changeEvent({ after: { id: 3n }, position: 12 }),
    )
    const files = await filesOf(table)
    expect(files.map(({ partitionValues }) => partitionValues)).toEqual([
      { v: 'a' },
      { v: 'a/b c' },
      { v: null },
    ])
    expect((await table.snapshot()).metadata.partitionColumns).toEqual(['v'])
    await table.apply(update(1, 'a/b c', 20), update(3, 'a', 21))
    expect((await table.rows()).map(({ id, v }) => `${id} ${v}`)).toEqual(['1 a/b c', '2 a/b c', '3 a'])
  })

  test('are written anew instead of getting deletion vectors when readers cannot follow those', async () => {
    const table = await TestTable.open({ contract: { merge: 'at-once' } })
    await table.apply(insert(1, 'a', 10), insert(2, 'b', 11), insert(3, 'c', 12))
    await table.apply(insert(4, 'd', 13))
    await table.apply(update(2, 'B', 20), remove(3, 21))
    expect([...table.store.objects.keys()].some((path) => path.endsWith('.bin'))).toBe(false)
    const { protocol, metadata } = await table.snapshot()
    expect(protocol.readerFeatures ?? []).not.toContain('deletionVectors')
    expect(metadata.configuration['delta.enableDeletionVectors']).toBeUndefined()
    await table.apply(update(1, 'A', 30), update(4, 'D', 31))
    expect((await table.rows()).map(({ v }) => v)).toEqual(['A', 'B', 'D'])
  })
})

describe('the change feed', () => {
  const columns = { id: 'long', v: 'string', kept: 'string' } as const

  async function typesOf(contract: Partial<TableContract>, was?: string) {
    const table = await TestTable.open({ contract })
    const [a, A] = ['a', 'A'].map((v) => ({ id: 1n, v, kept: 'as it was' }))
    await table.apply(
      changeEvent({ columns, after: a!, position: 10 }),
      insert(2, 'b', 11),
      insert(3, 'c', 12),
    )
    const before = was === undefined ? null : { ...a!, v: was }
    const changed = changeEvent({ columns, op: 'u', before, after: A!, position: 20 })
    await table.apply(changed, remove(2, 21, 'b'), insert(4, 'd', 22))
    const { isWritten, changes } = (await deriveFeed(table.store)).at(-1)!
    return { isWritten, changes: changes.map(({ type, row }) => `${type} ${row['id']} ${row['v']}`).sort() }
  }

  const WRITTEN = {
    isWritten: true,
    changes: ['delete 2 b', 'insert 4 d', 'update_postimage 1 A', 'update_preimage 1 a'],
  }
  const DERIVED = { isWritten: false, changes: ['delete 1 a', 'delete 2 b', 'insert 1 A', 'insert 4 d'] }

  test.each([
    ['auto, before-images announced as whole', { replicaIdentity: 'full' }, 'a', WRITTEN],
    ['auto, before-images shown to be whole', {}, 'a', WRITTEN],
    ['auto, no before-images', {}, undefined, DERIVED],
    ['full, no before-images', { changeFeed: 'full' }, undefined, WRITTEN],
    ['rows, whole before-images', { changeFeed: 'rows', replicaIdentity: 'full' }, 'a', DERIVED],
    ['off', { changeFeed: 'off', replicaIdentity: 'full' }, 'a', DERIVED],
    ['auto, rewritten files', { merge: 'at-once' }, undefined, WRITTEN],
  ] as const)('is right with %s', async (_, contract, was, expected) => {
    expect(await typesOf(contract, was)).toEqual(expected)
  })

  test('that is off leaves the property out', async () => {
    const table = await TestTable.open({ contract: { changeFeed: 'off' } })
    await table.apply(insert(1, 'a', 10))
    expect((await table.snapshot()).metadata.configuration['delta.enableChangeDataFeed']).toBeUndefined()
  })

  test('has one net change for a key that changes often in a batch, and none for one that comes and goes', async () => {
    const table = await TestTable.open({ contract: { changeFeed: 'full' } })
    await table.apply(insert(1, 'a', 10))
    await table.apply(
      update(1, 'b', 20),
      update(1, 'c', 21),
      insert(2, 'x', 22),
      remove(2, 23),
      remove(1, 24),
      insert(1, 'd', 25),
    )
    const { changes } = (await deriveFeed(table.store)).at(-1)!
    expect(changes.map(({ type, row }) => `${type} ${row['id']} ${row['v']}`)).toEqual([
      'update_preimage 1 a',
      'update_postimage 1 d',
    ])
  })

  test('does not tell of rows that were only carried over into another file', async () => {
    for (const key of [['id'], null]) {
      const table = await TestTable.open({ contract: { merge: 'at-once' } })
      const rows = ['a', 'b', 'c'].map((v, i) => ({ id: BigInt(i), v }))
      await table.apply(...rows.map((after, i) => changeEvent({ key, after, position: 10 + i })))
      await table.apply(changeEvent({ key, before: rows[1]!, position: 20 }))
      const { isWritten, changes } = (await deriveFeed(table.store)).at(-1)!
      expect([isWritten, ...changes.map(({ type, row }) => `${type} ${row['v']}`)]).toEqual([
        true,
        'delete b',
      ])
    }
  })

  test('needs no change files where a batch only inserts, or only deletes', async () => {
    const table = await TestTable.open({ contract: { changeFeed: 'full' } })
    await table.apply(insert(1, 'a', 10), insert(2, 'b', 11))
    await table.apply(remove(1, 20))
    expect((await deriveFeed(table.store)).map(({ isWritten }) => isWritten)).toEqual([false, false])
  })
})

describe('deleted rows that stay', () => {
  test('keep the newest values of the batch, are marked, and come back with the next insert', async () => {
    const table = await TestTable.open({ contract: { deletes: 'soft' } })
    const stored = async () =>
      (await table.storedRows()).map(
        (row) => `${row['id']} ${row['v']} ${row['_cdc_deleted']} ${row['_cdc_lsn']}`,
      )
    await table.apply(insert(1, 'a', 10), insert(2, 'b', 11))
    await table.apply(update(1, 'A', 20), remove(1, 21), remove(2, 22))
    expect(await stored()).toEqual(['1 A true 21', '2 b true 22'])
    const report = await table.apply(insert(1, 'again', 30), insert(3, 'c', 31), remove(3, 32))
    expect(await stored()).toEqual(['1 again false 30', '2 b true 22', '3 c true 32'])
    expect(report.tally).toMatchObject({ applied: 2, superseded: 1 })
  })

  test('keep values that were not sent', async () => {
    const table = await TestTable.open({ contract: { deletes: 'soft' } })
    await table.apply(insert(1, 'long', 10))
    await table.apply(
      changeEvent({ op: 'u', after: { id: 1n, v: UNAVAILABLE }, position: 20 }),
      remove(1, 21),
    )
    expect(await table.storedRows()).toMatchObject([{ id: 1n, v: 'long', _cdc_deleted: true }])
  })
})

describe('a log of events', () => {
  test('has a row for every event, with its operation, and what was not sent as null', async () => {
    const table = await TestTable.open({ contract: { mode: 'append' } })
    const partial = changeEvent({ op: 'u', after: { id: 1n, v: UNAVAILABLE }, position: 20 })
    const report = await table.apply(insert(1, 'a', 10), partial, remove(1, 30))
    expect(report).toMatchObject({
      unresolvedUnavailable: 1,
      counts: { inserted: 3, updated: 0, deleted: 0 },
    })
    const rows = await table.storedRows()
    expect(rows.map((row) => `${row['_cdc_op']} ${row['id']} ${row['v']} ${row['_cdc_lsn']}`).sort()).toEqual(
      ['c 1 a 10', 'd 1  30', 'u 1 null 20'],
    )
    const [info] = (await table.entries())[0]!
    expect(info).toMatchObject({ operation: 'WRITE', isBlindAppend: true })
  })
})

describe('events from anywhere', () => {
  test('are told apart by their key alone, and move no partition', async () => {
    const table = await TestTable.open({ isOrdered: false })
    await table.apply(insert(1, 'a', 10), insert(2, 'b', 5))
    await table.apply(insert(3, 'c', 3))
    expect((await table.rows()).map(({ v }) => v)).toEqual(['a', 'b', 'c'])
    expect([...(await table.snapshot()).txns]).toEqual([])
  })
})
