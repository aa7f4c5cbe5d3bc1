import { describe, expect, test } from 'vitest'
import { type Grave, Graves } from '../../../writers/graves.ts'
import { changeEvent } from '../../support/change-event.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { countedRandom, HandClock } from '../../support/test-ports.ts'
import { TestTable } from '../../support/test-table.ts'

const OLD = { topic: 'old.public.items' }
const NEW = { topic: 'new.public.items' }
const TOPICS = { topics: [OLD.topic, NEW.topic] }

const HOUR_MS = 60 * 60 * 1000

function graveObjects(store: MemoryStore): string[] {
  return [...store.objects.keys()].filter((path) => path.includes('/_graves/'))
}

describe('a key that one topic has deleted', () => {
  const insert = changeEvent({ ...OLD, after: { id: 1n, v: 'a' }, position: 10 })
  const remove = changeEvent({ ...NEW, before: { id: 1n }, position: 30 })
  const late = changeEvent({ ...OLD, before: { id: 1n }, after: { id: 1n, v: 'b' }, position: 20 })

  test.each([false, true])(
    'is not brought back by an older event of another, restart: %s',
    async (restarts) => {
      const table = await TestTable.open({ contract: TOPICS })
      await table.apply(changeEvent({ ...NEW, after: { id: 9n, v: 'x' }, position: 5 }))
      for (const batch of [[insert], [remove], [late]]) {
        await table.apply(...batch)
        if (restarts) await table.reopen()
      }
      expect(await table.rows()).toEqual([{ id: 9n, v: 'x' }])
      expect(table.reports.at(-1)!.tally.stale).toBe(1)
    },
  )

  test('is not brought back where its delete found no row', async () => {
    const table = await TestTable.open({ contract: TOPICS })
    await table.apply(changeEvent({ ...NEW, after: { id: 9n, v: 'x' }, position: 5 }))
    const version = (await table.apply(remove)).version
    await table.reopen()
    await table.apply(insert)
    await table.apply(late)
    expect(table.writer.version).toBe(version)
    expect(await table.rows()).toEqual([{ id: 9n, v: 'x' }])
  })

  test('lives until the delete comes again when its commit was lost, though the grave is there', async () => {
    const store = new MemoryStore()
    const table = await TestTable.open({ store, contract: TOPICS })
    await table.apply(changeEvent({ ...NEW, after: { id: 9n, v: 'x' }, position: 5, offset: 0 }))
    store.before = (operation) => {
      if (operation === 'putIfAbsent') throw new TypeError('a bad day')
    }
    await expect(table.apply(remove)).rejects.toThrow('a bad day')
    expect(graveObjects(store)).toHaveLength(1)
    store.before = () => {}
    const other = await TestTable.open({ store, contract: TOPICS })
    await other.apply(insert)
    expect(await other.rows()).toContainEqual({ id: 1n, v: 'a' })
    await other.apply(remove)
    await other.apply(late)
    expect(await other.rows()).toEqual([{ id: 9n, v: 'x' }])
  })

  test('comes back with a newer one', async () => {
    const table = await TestTable.open({ contract: TOPICS })
    await table.apply(remove)
    await table.apply(changeEvent({ ...OLD, after: { id: 1n, v: 'c' }, position: 40 }))
    expect(await table.rows()).toEqual([{ id: 1n, v: 'c' }])
  })

  test('comes back with a snapshot row that was read after its delete, and with none that was read before', async () => {
    const table = await TestTable.open({ contract: TOPICS })
    await table.apply(remove)
    await table.reopen()
    await table.apply(changeEvent({ ...OLD, op: 'r', after: { id: 1n, v: 'a' }, position: null, lsn: 29 }))
    expect(await table.rows()).toEqual([])
    await table.apply(changeEvent({ ...OLD, op: 'r', after: { id: 1n, v: 'c' }, position: null, lsn: 31 }))
    await table.apply(late)
    expect(await table.rows()).toEqual([{ id: 1n, v: 'c' }])
  })

  test('is known of two topics that nobody declared, once both have come', async () => {
    const table = await TestTable.open()
    await table.apply(insert)
    await table.apply(changeEvent({ ...NEW, after: { id: 9n, v: 'x' }, position: 5 }))
    await table.apply(remove)
    await table.reopen()
    await table.apply(late)
    expect(await table.rows()).toEqual([{ id: 9n, v: 'x' }])
  })
})

test('a delete is about the row, though what it was changed to meanwhile is still to come by the other topic', async () => {
  const table = await TestTable.open({ contract: { ...TOPICS, replicaIdentity: 'full' } })
  await table.apply(changeEvent({ ...NEW, after: { id: 1n, v: 'a' }, position: [9, 10], tx: 1 }))
  await table.apply(changeEvent({ ...NEW, before: { id: 1n, v: 'b' }, position: [9, 12], tx: 1 }))
  const late = { before: { id: 1n, v: 'a' }, after: { id: 1n, v: 'b' } }
  await table.apply(changeEvent({ ...OLD, ...late, position: [9, 11], tx: 1 }))
  expect(await table.rows()).toEqual([])
})

test('a table of one topic keeps no graves where no row changes its key', async () => {
  const store = new MemoryStore()
  const table = await TestTable.open({ store, contract: { topics: [OLD.topic] } })
  for (let partition = 0; partition < 2; partition++) {
    await table.apply(changeEvent({ ...OLD, partition, after: { id: 1n, v: 'a' }, position: 10 + partition }))
    await table.apply(changeEvent({ ...OLD, partition, before: { id: 1n }, position: 20 + partition }))
  }
  expect(graveObjects(store)).toEqual([])
})

describe('graves', () => {
  const clock = new HandClock()

  /** @param next offset that the table reads next */
  function open(store: MemoryStore, next = 1000n): Promise<Graves> {
    const ports = { store, clock, random: countedRandom() }
    return Graves.open(ports, 'public/items', ({ offset }) => offset < next)
  }

  function grave(key: string, lsn: number, offset = 0n): Grave {
    return {
      key: Buffer.from(key).toString('base64'),
      position: { epoch: 0, seq: 7n, lsn: BigInt(lsn) },
      at: { topic: OLD.topic, partition: 0, offset },
    }
  }

  async function dig(graves: Graves, ...dug: Grave[]): Promise<void> {
    await graves.store(dug)
    graves.take(dug)
  }

  test('are found again in few objects, however many commits dug them', async () => {
    const store = new MemoryStore()
    const graves = await open(store)
    for (let i = 0; i < 100; i++) await dig(graves, grave(`key ${i}`, i))
    expect(graveObjects(store).length).toBeLessThan(40)
    const again = await open(store)
    for (let i = 0; i < 100; i++) {
      expect(again.find(grave(`key ${i}`, i).key)).toEqual(grave(`key ${i}`, i).position)
    }
  })

  test('tell the last delete of a key, whoever wrote it down', async () => {
    const store = new MemoryStore()
    const [one, other] = [await open(store), await open(store)]
    await dig(one, grave('k', 20))
    clock.now += 1000
    await dig(other, grave('k', 10))
    expect((await open(store)).find(grave('k', 0).key)!.lsn).toBe(20n)
  })

  test('are known when the commit of their deletes is, not before: it may have to be planned again', async () => {
    const graves = await open(new MemoryStore())
    await graves.store([grave('k', 1)])
    expect(graves.find(grave('k', 1).key)).toBeNull()
  })

  test('of a delete that is still to come do not count, and hide none that is older', async () => {
    const store = new MemoryStore()
    const one = await open(store)
    await dig(one, grave('k', 10, 4n))
    await one.store([grave('k', 20, 7n)])
    expect((await open(store, 7n)).find(grave('k', 0).key)!.lsn).toBe(10n)
    expect((await open(store, 8n)).find(grave('k', 0).key)!.lsn).toBe(20n)
  })

  test('are kept by those for whom they do not count: another process may commit their delete', async () => {
    const store = new MemoryStore()
    await (await open(store)).store([grave('k', 20, 7n)])
    const other = await open(store, 0n)
    for (let i = 0; i < 40; i++) await other.store([grave(`key ${i}`, i)])
    expect(graveObjects(store).length).toBeLessThan(40)
    expect((await open(store, 8n)).find(grave('k', 0).key)!.lsn).toBe(20n)
  })

  test('are forgotten after a day', async () => {
    const store = new MemoryStore()
    const graves = await open(store)
    await dig(graves, grave('old', 1))
    clock.now += 25 * HOUR_MS
    await dig(graves, grave('young', 2))
    expect(graves.find(grave('old', 1).key)).toBeNull()
    expect(graves.find(grave('young', 2).key)).not.toBeNull()
    expect((await open(store)).find(grave('old', 1).key)).toBeNull()
  })

  test('stay within their bytes, the oldest forgotten first', async () => {
    const graves = await open(new MemoryStore())
    const key = (i: number): string => `${i}`.padEnd(700_000, '.')
    for (let i = 0; i < 20; i++) graves.take([grave(key(i), i)])
    expect(graves.find(grave(key(0), 0).key)).toBeNull()
    expect(graves.find(grave(key(19), 19).key)).not.toBeNull()
  })

  test('that cannot be read stop the table', async () => {
    const store = new MemoryStore()
    await store.put('grave.put', 'public/items/_graves/torn', Buffer.from('0 7 1 170000\n'))
    await expect(open(store)).rejects.toMatchObject({ code: 'E_GRAVES_DAMAGED', remedy: 'stop-table' })
  })
})
