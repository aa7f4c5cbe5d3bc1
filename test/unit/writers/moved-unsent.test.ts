import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../../schemas/change-event.ts'
import { UNAVAILABLE } from '../../../schemas/delta-types.ts'
import { LocatorMemory } from '../../../writers/locator/locator-memory.ts'
import { tallyTotal } from '../../../writers/tally.ts'
import { changeEvent, type Values } from '../../support/change-event.ts'
import { MemoryFiles } from '../../support/memory-files.ts'
import { TestTable } from '../../support/test-table.ts'

const columns = { id: 'long', title: 'string', body: 'string' } as const

/** Postgres stores no short value out of line. */
const [OLD, NEW] = ['old', 'new'].map((text) => text.repeat(50)) as [string, string]

/** Of a table with the default identity: a document is written anew and then gets another key; its body is not sent again. */
const old = changeEvent({ columns, after: { id: 1n, title: 't', body: OLD }, position: [9, 10], tx: 1 })
const rewritten = changeEvent({
  columns,
  after: { id: 1n, title: 't', body: NEW },
  position: [10, 20],
  tx: 2,
})
const departed = changeEvent({ columns, before: { id: 1n }, newKey: { id: 7n }, position: [20, 30], tx: 3 })
const arrived = changeEvent({
  columns,
  after: { id: 7n, title: 't', body: UNAVAILABLE },
  oldKey: { id: 1n },
  position: [20, 30],
  tx: 3,
  partition: 1,
})

describe('a key change whose second half is read before what happened under the old key', () => {
  test.each<[string, ChangeEvent[][]]>([
    ['the row is rewritten later in the batch', [[old], [arrived, { ...rewritten, op: 'u' }, departed]]],
    ['the row is rewritten in a later batch', [[old], [arrived], [{ ...rewritten, op: 'u' }, departed]]],
    ['the row comes in a later batch', [[arrived], [old, { ...rewritten, op: 'u' }, departed]]],
  ])('carries the value over that left: %s', async (_, batches) => {
    const table = await TestTable.open()
    for (const batch of batches) await table.apply(...batch)
    expect(await table.rows()).toEqual([{ id: 7n, title: 't', body: NEW }])
  })

  test('keeps the debt over a restart, and tells it in no row of its own', async () => {
    const table = await TestTable.open()
    await table.apply(old, arrived)
    expect(await table.rows()).toContainEqual({ id: 7n, title: 't', body: null })
    expect(table.reports[0]!.unresolvedUnavailable).toBe(0)
    await table.reopen()
    await table.apply({ ...rewritten, op: 'u' })
    expect(tallyTotal((await table.apply(departed)).tally)).toBe(1)
    expect(await table.rows()).toEqual([{ id: 7n, title: 't', body: NEW }])
    const { configuration } = (await table.snapshot()).metadata
    expect(configuration).not.toHaveProperty('alluvium.owedValues')
    expect(await table.storedRows()).toMatchObject([{ _cdc_seq: 20n, _cdc_lsn: 30n, _cdc_txid: 3n }])
  })

  test('does not take over what a later event of the new key has told', async () => {
    const table = await TestTable.open()
    const later = { before: { id: 7n }, position: [30, 40], tx: 4, partition: 1 } as const
    await table.apply(old, arrived)
    await table.apply(changeEvent({ columns, ...later, after: { id: 7n, title: 't', body: 'later' } }))
    await table.apply({ ...rewritten, op: 'u' }, departed)
    expect(await table.rows()).toEqual([{ id: 7n, title: 't', body: 'later' }])
  })

  test('fills a gap that later events of the new key leave', async () => {
    const table = await TestTable.open()
    const later = { before: { id: 7n }, position: [30, 40], tx: 4, partition: 1 } as const
    await table.apply(old, arrived)
    await table.apply(changeEvent({ columns, ...later, after: { id: 7n, title: 'T', body: UNAVAILABLE } }))
    await table.apply({ ...rewritten, op: 'u' }, departed)
    expect(await table.rows()).toEqual([{ id: 7n, title: 'T', body: NEW }])
  })

  test('takes the value from the delete itself where it carries the whole row', async () => {
    const table = await TestTable.open({ contract: { replicaIdentity: 'full' } })
    await table.apply(arrived)
    const whole = changeEvent({
      columns,
      before: { id: 1n, title: 't', body: 'told' },
      newKey: { id: 7n },
      position: [20, 30],
      tx: 3,
    })
    await table.apply(whole)
    expect(await table.rows()).toEqual([{ id: 7n, title: 't', body: 'told' }])
  })

  test('is counted when its delete knows of no row', async () => {
    const table = await TestTable.open()
    await table.apply(arrived)
    expect((await table.apply(departed)).unresolvedUnavailable).toBe(1)
    expect(await table.rows()).toEqual([{ id: 7n, title: 't', body: null }])
    expect((await table.snapshot()).metadata.configuration).not.toHaveProperty('alluvium.owedValues')
  })

  test('is not taken from an earlier row of its key, whose delete alone was read before a restart', async () => {
    const table = await TestTable.open()
    const ahead = { id: 8n, title: 't', body: 'ahead' }
    await table.apply(old, changeEvent({ columns, after: ahead, position: [50, 60], tx: 9, partition: 2 }))
    await table.apply(changeEvent({ columns, before: { id: 1n }, position: [9, 12], tx: 1 }))
    await table.reopen()
    await table.apply(arrived)
    expect(await table.rows()).toEqual([ahead, { id: 7n, title: 't', body: null }])
    await table.reopen()
    await table.apply(rewritten, departed)
    expect(await table.rows()).toEqual([ahead, { id: 7n, title: 't', body: NEW }])
  })

  test('is forgotten with a truncate', async () => {
    const table = await TestTable.open()
    await table.apply(arrived)
    await table.apply(changeEvent({ columns, op: 't', position: [40, 50] }))
    expect((await table.snapshot()).metadata.configuration).not.toHaveProperty('alluvium.owedValues')
  })
})

describe('a key change whose first half was read before a restart', () => {
  test('finds the row that left, also when its key has been another row meanwhile', async () => {
    const table = await TestTable.open()
    await table.apply(rewritten)
    await table.apply(departed)
    const other = { columns, position: [30, 40], tx: 4 } as const
    await table.apply(changeEvent({ ...other, after: { id: 1n, title: 'o', body: 'other' } }))
    await table.apply(changeEvent({ ...other, before: { id: 1n }, newKey: { id: 3n }, position: [31, 41] }))
    await table.reopen()
    await table.apply(arrived)
    expect(await table.rows()).toEqual([{ id: 7n, title: 't', body: NEW }])
  })

  test.each([false, true])(
    'lasts as long as its file does, and is counted then, restart: %s',
    async (restarts) => {
      const table = await TestTable.open()
      await table.apply(rewritten)
      await table.apply(departed)
      if (restarts) await table.reopen()
      for (const path of table.store.objects.keys())
        if (path.endsWith('.parquet')) table.store.objects.delete(path)
      expect((await table.apply(arrived)).unresolvedUnavailable).toBe(1)
      expect(await table.rows()).toEqual([{ id: 7n, title: 't', body: null }])
      expect((await table.snapshot()).metadata.configuration).not.toHaveProperty('alluvium.owedValues')
    },
  )
})

test('a row that comes back to its first key, read last, gets what it was told there first', async () => {
  const move = (from: number, to: number, lsn: number) => {
    const half = { columns, position: [lsn, lsn], tx: lsn } as const
    const ids = { from: { id: BigInt(from) }, to: { id: BigInt(to) } }
    const after: Values = { ...ids.to, title: 't', body: UNAVAILABLE }
    return [
      changeEvent({ ...half, before: ids.from, newKey: ids.to, partition: from % 3 }),
      changeEvent({ ...half, after, oldKey: ids.from, partition: to % 3 }),
    ] as const
  }
  const first = changeEvent({ columns, after: { id: 3n, title: 't', body: OLD }, position: [9, 10], tx: 1 })
  const [[left3, came4], [left4, came5], [left5, came3]] = [move(3, 4, 20), move(4, 5, 30), move(5, 3, 40)]
  const table = await TestTable.open()
  await table.apply(came5, came4)
  await table.apply(left4, left5)
  await table.apply(first, left3, came3)
  expect(await table.rows()).toEqual([{ id: 3n, title: 't', body: OLD }])
})

describe('a row that goes from key to key over three partitions', () => {
  const onward = changeEvent({
    columns,
    before: { id: 7n },
    newKey: { id: 9n },
    position: [40, 50],
    tx: 5,
    partition: 1,
  })
  const ended = changeEvent({
    columns,
    after: { id: 9n, title: 't', body: UNAVAILABLE },
    oldKey: { id: 7n },
    position: [40, 50],
    tx: 5,
    partition: 2,
  })
  const roads = [[old, { ...rewritten, op: 'u' as const }, departed], [arrived, onward], [ended]]

  test.each([
    [1, false],
    [1, true],
    [2, true],
    [6, false],
  ])(
    'ends with its value, in whatever order they are read, %i a batch, restarts: %s',
    async (size, restarts) => {
      for (const order of interleavings(roads).filter((_, i) => i % (7 - size) === 0)) {
        const table = await TestTable.open()
        for (let i = 0; i < order.length; i += size) {
          await table.apply(...order.slice(i, i + size))
          if (restarts) await table.reopen()
        }
        const told = order.map(({ key, op }) => `${op}${key!.values}`).join(' ')
        expect(await table.rows(), told).toEqual([{ id: 9n, title: 't', body: NEW }])
      }
    },
  )
})

function interleavings<T>(roads: readonly (readonly T[])[]): T[][] {
  if (roads.every((road) => road.length === 0)) return [[]]
  return roads.flatMap((road, i) =>
    road.length === 0
      ? []
      : interleavings(roads.map((each, j) => (i === j ? each.slice(1) : each))).map((rest) => [
          road[0]!,
          ...rest,
        ]),
  )
}

test('a locator that is made anew between the halves numbers files anew, and the row that left is still found', async () => {
  const files = new MemoryFiles()
  const table = await TestTable.open({ locators: { files, memory: new LocatorMemory(0) } })
  const other = changeEvent({ columns, after: { id: 5n, title: 't', body: 'x' }, position: [9, 8], tx: 1 })
  await table.apply(other)
  await table.apply({ ...other, position: { epoch: 0, seq: 9n, lsn: 9n } })
  await table.apply(old)
  await table.writer.keepLocator(new AbortController().signal)
  await table.apply(departed)
  files.isBroken = true
  const asksDisk = { ...other, position: { epoch: 0, seq: 20n, lsn: 29n } }
  await table.apply(asksDisk, { ...arrived, at: { ...arrived.at, partition: 0 } })
  expect(await table.rows()).toContainEqual({ id: 7n, title: 't', body: OLD })
})
