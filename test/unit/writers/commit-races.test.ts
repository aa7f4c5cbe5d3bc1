import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../core/errors.ts'
import type { ChangeEvent } from '../../../schemas/change-event.ts'
import type { TableContract } from '../../../schemas/contract.ts'
import { commitPath } from '../../../writers/delta/log-path.ts'
import { liveRowCount } from '../../../writers/table/row-count.ts'
import { changeEvent } from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { ForeignWriter } from '../../support/foreign-writer.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { sourceColumns, TABLE_PATH, TestTable, textOf } from '../../support/test-table.ts'

const KEYED: Partial<TableContract> = { replicaIdentity: 'full' }

function keyed(at: { row?: [number, string]; was?: [number, string]; position: number }): ChangeEvent {
  const of = (values: [number, string] | undefined) =>
    values === undefined ? null : { id: BigInt(values[0]), v: values[1] }
  return changeEvent({ before: of(at.was), after: of(at.row), position: at.position })
}

function keyless(event: ChangeEvent): ChangeEvent {
  return { ...event, key: null }
}

/** Rows 1 to 4, in two files. */
const FIRST = [keyed({ row: [1, 'a'], position: 10 }), keyed({ row: [2, 'b'], position: 20 })]
const SECOND = [keyed({ row: [3, 'c'], position: 30 }), keyed({ row: [4, 'd'], position: 40 })]
/** Changes 1, deletes 2, adds 5; leaves the second file alone. */
const OURS = [
  keyed({ was: [1, 'a'], row: [1, 'A'], position: 50 }),
  keyed({ was: [2, 'b'], position: 60 }),
  keyed({ row: [5, 'e'], position: 70 }),
]
const AFTER_OURS = ['1 A', '3 c', '4 d', '5 e']
/** Touches every row that is there by then. */
const LATER = [
  keyed({ was: [1, 'A'], row: [1, 'AA'], position: 80 }),
  keyed({ was: [3, 'c'], row: [3, 'C'], position: 90 }),
  keyed({ was: [4, 'd'], position: 100 }),
  keyed({ was: [5, 'e'], row: [5, 'E'], position: 110 }),
]

/** A table that loses its next commit to what the stranger does in the very moment before it. */
async function racedBy(
  stranger: (foreign: ForeignWriter) => Promise<void>,
  contract: Partial<TableContract>,
  as: (event: ChangeEvent) => ChangeEvent = (event) => event,
): Promise<TestTable> {
  const table = await TestTable.open({ contract })
  await table.apply(...FIRST.map(as))
  await table.apply(...SECOND.map(as))
  const foreign = new ForeignWriter(table.store)
  const version = table.writer.version! + 1
  await interleave(table.store, `log.put ${commitPath(TABLE_PATH, version)}`, () => stranger(foreign))
  return table
}

/** Runs `work` to its end before the call is answered: the store's port is asynchronous, so a test may step between. */
async function interleave(store: MemoryStore, call: string, work: () => Promise<void>): Promise<void> {
  const putIfAbsent = store.putIfAbsent.bind(store)
  let isDone = false
  store.putIfAbsent = async (site, path, bytes) => {
    if (!isDone && `${site} ${path}` === call) {
      isDone = true
      await work()
    }
    return putIfAbsent(site, path, bytes)
  }
}

async function rowsOf(table: TestTable): Promise<string[]> {
  return (await table.rows()).map(({ id, v }) => `${id} ${v}`)
}

/** The table is what a reader should see, by its rows, its counts and its feed, and whoever opens it anew goes on. */
async function expectSound(table: TestTable, rows: readonly string[]): Promise<void> {
  expect(await rowsOf(table)).toEqual(rows)
  expect(liveRowCount(await table.snapshot())).toBe(rows.length)
  const bag = new Map<string, number>()
  for (const { changes } of await deriveFeed(table.store)) {
    for (const { type, row } of changes) {
      const isOld = type === 'delete' || type === 'update_preimage'
      const text = textOf(sourceColumns(row))
      bag.set(text, (bag.get(text) ?? 0) + (isOld ? -1 : 1))
    }
  }
  const replayed = [...bag].flatMap(([text, count]) => (count === 0 ? [] : [`${text} x${count}`]))
  const stored = (await table.rows()).map((row) => `${textOf(row)} x1`)
  expect(replayed.sort()).toEqual(stored.sort())
}

const VARIANTS: readonly [string, Partial<TableContract>, (event: ChangeEvent) => ChangeEvent][] = [
  ['with a key', KEYED, (event) => event],
  ['with a full feed', { ...KEYED, changeFeed: 'full' }, (event) => event],
  ['whose files are rewritten', { ...KEYED, merge: 'at-once' }, (event) => event],
  ['without a key', {}, keyless],
]

describe.each(VARIANTS)('a commit of a table %s that is lost to', (_, contract, as) => {
  test('an insert keeps both', async () => {
    const table = await racedBy((foreign) => foreign.insert({ id: 9n, v: 'theirs' }), contract, as)
    await table.apply(...OURS.map(as))
    await expectSound(table, [...AFTER_OURS, '9 theirs'])
    await table.apply(...LATER.map(as))
    await expectSound(table, ['1 AA', '3 C', '5 E', '9 theirs'])
  })

  test('a delete of other rows keeps both', async () => {
    const table = await racedBy((foreign) => foreign.deleteWhere(({ id }) => id === 3n), contract, as)
    await table.apply(...OURS.map(as))
    await expectSound(table, ['1 A', '4 d', '5 e'])
    await table.apply(...LATER.filter((event) => event.before!.cells[0] !== 3n).map(as))
    await expectSound(table, ['1 AA', '5 E'])
  })

  test('a delete of whole files that we do not touch keeps both, and goes on', async () => {
    const table = await racedBy((foreign) => foreign.dropFilesWith(({ id }) => id === 3n), contract, as)
    await table.apply(...OURS.map(as))
    await expectSound(table, ['1 A', '5 e'])
    await table.apply(...LATER.filter((event) => Number(event.before!.cells[0]) % 4 === 1).map(as))
    await expectSound(table, ['1 AA', '5 E'])
  })

  test('an OPTIMIZE finds the rows where they are now, then and later', async () => {
    const table = await racedBy((foreign) => foreign.optimize(), contract, as)
    await table.apply(...OURS.map(as))
    await expectSound(table, AFTER_OURS)
    await table.apply(...LATER.map(as))
    await expectSound(table, ['1 AA', '3 C', '5 E'])
  })

  test('an OPTIMIZE of files that we do not touch goes on', async () => {
    const table = await racedBy((foreign) => foreign.optimize(), contract, as)
    await table.apply(as(OURS[2]!))
    await table.apply(...LATER.slice(1).map(as))
    await expectSound(table, ['1 a', '2 b', '3 C', '5 E'])
  })

  test('new properties keeps them', async () => {
    const table = await racedBy(
      (foreign) => foreign.setProperty('delta.dataSkippingNumIndexedCols', '3'),
      contract,
      as,
    )
    const columns = { id: 'long', v: 'string', added: 'long' } as const
    const [, , insert] = OURS
    await table.apply(
      ...OURS.slice(0, 2).map(as),
      as({ ...insert!, ...changeEvent({ columns, after: { id: 5n, v: 'e' }, position: 70 }) }),
    )
    await expectSound(table, AFTER_OURS)
    const { configuration } = (await table.snapshot()).metadata
    expect(configuration['delta.dataSkippingNumIndexedCols']).toBe('3')
    expect((await table.snapshot()).schema.fields.map(({ name }) => name)).toContain('added')
  })

  test("another pipeline's progress is not disturbed by it", async () => {
    const table = await racedBy(
      (foreign) => foreign.moveTxn('alluvium/other/shop.public.items/0', 5n),
      contract,
      as,
    )
    const puts = table.store.calls.length
    await table.apply(...OURS.map(as))
    await expectSound(table, AFTER_OURS)
    const again = table.store.calls.slice(puts).filter((call) => call.startsWith('data.put')).length
    expect(again, 'data files staged').toBeLessThanOrEqual(1)
  })

  test('our own progress in another process is fenced, and nothing of ours is seen', async () => {
    const table = await racedBy(
      (foreign) => foreign.moveTxn('alluvium/p/shop.public.items/0', 50n),
      contract,
      as,
    )
    const fenced = table.apply(...OURS.map(as))
    await expect(fenced).rejects.toMatchObject({ code: 'E_FENCED', remedy: 'stop-table' })
    await expect(fenced).rejects.toThrow('stranger')
    expect(await rowsOf(table)).toEqual(['1 a', '2 b', '3 c', '4 d'])
  })
})

describe('a commit with a key that is lost to', () => {
  test('an insert of the very key that it inserts leaves one row', async () => {
    const table = await racedBy((foreign) => foreign.insert({ id: 5n, v: 'theirs' }), KEYED)
    await table.apply(...OURS)
    await expectSound(table, AFTER_OURS)
  })

  test('a delete of the very row that it changes leaves ours', async () => {
    const table = await racedBy((foreign) => foreign.deleteWhere(({ id }) => id === 1n || id === 2n), KEYED)
    await table.apply(...OURS)
    await expectSound(table, AFTER_OURS)
  })

  test('a second writer that moved another partition of ours is fenced', async () => {
    const table = await TestTable.open({ contract: KEYED })
    await table.apply(...FIRST, { ...SECOND[0]!, at: { ...SECOND[0]!.at, partition: 1 } })
    const foreign = new ForeignWriter(table.store)
    await interleave(table.store, `log.put ${commitPath(TABLE_PATH, 1)}`, () =>
      foreign.moveTxn('alluvium/p/shop.public.items/1', 77n),
    )
    await expect(table.apply(...OURS)).rejects.toMatchObject({ code: 'E_FENCED' })
  })

  test('a row of a narrower type, while a column widens, has that row in the wider type', async () => {
    const narrow = { id: 'long', v: 'integer' } as const
    const table = await TestTable.open()
    await table.apply(changeEvent({ columns: narrow, after: { id: 1n, v: 1 }, position: 10 }))
    const foreign = new ForeignWriter(table.store)
    await interleave(table.store, `log.put ${commitPath(TABLE_PATH, 1)}`, () =>
      foreign.insert({ id: 9n, v: 9 }),
    )
    await table.apply(
      changeEvent({ columns: { id: 'long', v: 'long' }, after: { id: 2n, v: 2n }, position: 20 }),
    )
    expect(await rowsOf(table)).toEqual(['1 1', '2 2', '9 9'])
    const rewritten = (await table.entries())[2]!.flatMap((action) =>
      action.kind === 'remove' ? [action.path] : [],
    )
    expect(rewritten).toContain('stranger-1.parquet')
  })

  test('the same table made by another process is fenced', async () => {
    const [table, other] = [await TestTable.open(), new MemoryStore()]
    const rival = await TestTable.open({ store: other })
    await interleave(table.store, `log.put ${commitPath(TABLE_PATH, 0)}`, async () => {
      await rival.apply(...FIRST)
      for (const [path, { bytes }] of other.objects) table.store.seed(path, bytes)
    })
    await expect(table.apply(...FIRST)).rejects.toMatchObject({ code: 'E_FENCED' })
  })

  test.for([
    ['a table', FIRST],
    ['a table that is not there yet', []],
  ] as const)(
    'rows of %s that come and go within a batch fence off whoever comes late with half of them',
    async ([, before]) => {
      const table = await TestTable.open({ contract: KEYED })
      if (before.length > 0) await table.apply(...before)
      const late = await TestTable.open({ contract: KEYED, store: table.store })
      const came = keyed({ row: [5, 'e'], position: 50 })
      await table.apply(came, keyed({ was: [5, 'e'], position: 60 }))
      await expect(late.apply(came)).rejects.toMatchObject({ code: 'E_FENCED' })
      await expectSound(table, before.length > 0 ? ['1 a', '2 b'] : [])
    },
  )

  test('a table of another program in the same place leaves that alone', async () => {
    const [table, other] = [await TestTable.open(), new MemoryStore()]
    const rival = await TestTable.open({ store: other, pipeline: 'other' })
    await interleave(table.store, `log.put ${commitPath(TABLE_PATH, 0)}`, async () => {
      await rival.apply({ ...FIRST[0]!, table: { ...FIRST[0]!.table, sourceName: 'another' } })
      for (const [path, { bytes }] of other.objects) {
        const text = Buffer.from(bytes).toString('latin1').replaceAll('alluvium.', 'somebody.')
        table.store.seed(path, path.endsWith('.json') ? Buffer.from(text, 'latin1') : bytes)
      }
    })
    await expect(table.apply(...FIRST)).rejects.toMatchObject({ code: 'E_FOREIGN_TABLE' })
    expect(table.store.objects.has(commitPath(TABLE_PATH, 1))).toBe(false)
  })

  test('strangers again and again is given up, and says how to go on', async () => {
    const table = await TestTable.open()
    await table.apply(...FIRST)
    const foreign = new ForeignWriter(table.store)
    const putIfAbsent = table.store.putIfAbsent.bind(table.store)
    table.store.putIfAbsent = async (site, path, bytes) => {
      await foreign.moveTxn('stranger', 1n)
      return putIfAbsent(site, path, bytes)
    }
    const starved = table.apply(...SECOND)
    await expect(starved).rejects.toMatchObject({ code: 'E_COMMIT_STARVED' })
    await expect(starved).rejects.toThrow('lost to other writers')
    expect(await rowsOf(table)).toEqual(['1 a', '2 b'])
  })
})

describe('the answer to a commit', () => {
  const BUSY = new EngineError('E_STORE', 'retry', 'busy')

  test('that is lost after the bytes arrived counts as given, once', async () => {
    const table = await TestTable.open({ contract: KEYED })
    await table.apply(...FIRST, ...SECOND)
    let lost = 0
    table.store.after = (_, site) => {
      if (site === 'log.put' && lost++ === 0) throw BUSY
    }
    await table.apply(...OURS)
    expect(table.writer.version).toBe(1)
    await expectSound(table, AFTER_OURS)
  })

  test('that cannot be read back for a while is found to be our own', async () => {
    const table = await TestTable.open({ contract: KEYED })
    await table.apply(...FIRST, ...SECOND)
    let failures = 0
    table.store.after = (_, site) => {
      if (site === 'log.put' && failures++ === 0) throw BUSY
    }
    table.store.before = (_, site) => {
      if (site === 'log.read-back' && failures++ < 5) throw BUSY
    }
    await table.apply(...OURS)
    expect(failures).toBeGreaterThan(4)
    expect(table.writer.version).toBe(1)
    await expectSound(table, AFTER_OURS)
  })

  test('that never came, because the request did not, is asked for again', async () => {
    const table = await TestTable.open({ contract: KEYED })
    await table.apply(...FIRST, ...SECOND)
    let failures = 0
    table.store.before = (_, site) => {
      if (site === 'log.put' && failures++ < 3) throw BUSY
    }
    await table.apply(...OURS)
    expect(table.writer.version).toBe(1)
    await expectSound(table, AFTER_OURS)
  })

  test('is waited for before anything is seen, and comes after every object that it names', async () => {
    const table = await TestTable.open({ contract: { ...KEYED, changeFeed: 'full' } })
    await table.apply(...FIRST, ...SECOND)
    const before = await rowsOf(table)
    let seen: string[] = []
    await interleave(table.store, `log.put ${commitPath(TABLE_PATH, 1)}`, async () => {
      seen = await rowsOf(table)
    })
    const start = table.store.calls.length
    await table.apply(...OURS)
    expect(seen).toEqual(before)
    const puts = table.store.calls.slice(start).filter((call) => /^\S+\.put /.test(call))
    expect(puts.map((call) => call.split(' ')[0])).toEqual(['dv.put', 'data.put', 'cdc.put', 'log.put'])
    const named = (await table.entries()).at(-1)!
    for (const action of named) {
      if (action.kind !== 'add' && action.kind !== 'cdc') continue
      expect(table.store.objects.has(`${TABLE_PATH}/${action.path}`)).toBe(true)
    }
  })
})

describe('a process that dies', () => {
  /** Dies at the nth call of the store in `work`, before or after the store does what it was asked. */
  function dieAt(store: MemoryStore, n: number, when: 'before' | 'after'): () => number {
    let calls = 0
    store[when] = () => {
      if (++calls === n) throw new EngineError('E_TEST_DEATH', 'stop', 'the process is gone')
    }
    return () => calls
  }

  test.each(VARIANTS)(
    'at any call of a flush leaves a table %s that goes on with every event once',
    async (_, contract, as) => {
      for (const when of ['before', 'after'] as const) {
        for (let n = 1; ; n++) {
          const table = await TestTable.open({ contract })
          await table.apply(...FIRST.map(as), ...SECOND.map(as))
          const calls = dieAt(table.store, n, when)
          const outcome = await table.apply(...OURS.map(as)).then(
            () => 'lived',
            (error: unknown) => (error as EngineError).code,
          )
          table.store[when] = () => {}
          if (outcome === 'lived') {
            expect(n).toBeGreaterThan(calls())
            break
          }
          expect(outcome).toBe('E_TEST_DEATH')
          await table.reopen()
          await table.apply(...OURS.map(as).filter(({ at }) => !table.writer.hasPassed(at)))
          await expectSound(table, AFTER_OURS)
        }
      }
    },
  )

  test.each(VARIANTS)(
    'never: a store that is busy at any call of a flush is waited for, %s',
    async (_, contract, as) => {
      for (const when of ['before', 'after'] as const) {
        for (let n = 1; n < 12; n++) {
          const table = await TestTable.open({ contract })
          await table.apply(...FIRST.map(as), ...SECOND.map(as))
          let calls = 0
          table.store[when] = () => {
            if (++calls === n) throw new EngineError('E_STORE', 'retry', 'busy')
          }
          await table.apply(...OURS.map(as))
          table.store[when] = () => {}
          await expectSound(table, AFTER_OURS)
        }
      }
    },
  )
})
