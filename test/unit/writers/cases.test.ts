import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../../schemas/change-event.ts'
import { DEFAULT_CONTRACT, type TableContract } from '../../../schemas/contract.ts'
import { createTopicDecoder } from '../../../schemas/decode/topic-decoder.ts'
import { addTally, emptyTally, type Tally } from '../../../writers/tally.ts'
import { changeEvent } from '../../support/change-event.ts'
import { isChange, PLACEHOLDER } from '../../support/decoding.ts'
import { readRecordedTopic } from '../../support/recorded-topics.ts'
import { type StoredRow, TestTable } from '../../support/test-table.ts'

const COLUMNS = { id: 'bigint', name: 'text', note: 'text' }

/** The changes of a case in `fixtures/cases`, as the decoder hands them on. */
function eventsOf(name: string): ChangeEvent[] {
  const path = fileURLToPath(new URL(`../../../fixtures/cases/${name}.jsonl`, import.meta.url))
  const contract: TableContract = { ...DEFAULT_CONTRACT, name: 'public.items', columns: COLUMNS }
  const decoder = createTopicDecoder({
    contractFor: () => contract,
    epoch: 0,
    unavailablePlaceholder: PLACEHOLDER,
  })
  return readRecordedTopic(path)
    .map((record) => decoder.decode(record))
    .filter(isChange)
}

/** In one batch, in two for every place to cut, and with an event a batch. */
function waysToCut(events: readonly ChangeEvent[]): (readonly (readonly ChangeEvent[])[])[] {
  const inTwo = events.slice(1).map((_, i) => [events.slice(0, i + 1), events.slice(i + 1)])
  return [[events], ...inTwo, events.map((event) => [event])]
}

async function play(batches: readonly (readonly ChangeEvent[])[], contract: Partial<TableContract>) {
  const table = await TestTable.open({ contract })
  for (const batch of batches) await table.apply(...batch)
  return table
}

/** Plays a case in every cut, and holds each table to `check`. */
async function inEveryCut(
  name: string,
  contract: Partial<TableContract>,
  check: (table: TestTable) => Promise<void>,
): Promise<void> {
  for (const batches of waysToCut(eventsOf(name))) {
    const table = await play(batches, contract)
    try {
      await check(table)
    } catch (error) {
      throw new Error(`in batches of ${batches.map((batch) => batch.length)}`, { cause: error })
    }
  }
}

async function expectRows(name: string, contract: Partial<TableContract>, rows: readonly string[]) {
  await inEveryCut(name, contract, async (table) => {
    expect((await table.rows()).map(rowText)).toEqual(rows)
  })
}

function rowText({ id, name, note }: StoredRow): string {
  return note === null ? `${id} ${name}` : `${id} ${name} ${note}`
}

function tallyOf(table: TestTable): Tally {
  const tally = emptyTally()
  for (const report of table.reports) addTally(tally, report.tally)
  return tally
}

describe('a key swap', () => {
  test('is exact where before-images are whole', async () => {
    await expectRows('key-swap-full', { replicaIdentity: 'full' }, ['1 aisle', '2 window'])
  })

  test('is exact when its end is sent again', async () => {
    const events = eventsOf('key-swap-full')
    for (let from = 2; from < events.length; from++) {
      const table = await play([events, events.slice(from)], { replicaIdentity: 'full' })
      expect((await table.rows()).map(rowText)).toEqual(['1 aisle', '2 window'])
    }
  })

  test('without whole before-images is applied as it comes, and says which delete was in doubt', async () => {
    await inEveryCut('key-swap-default', {}, async (table) => {
      expect((await table.rows()).map(rowText)).toEqual(['1 aisle'])
      const ambiguous = table.reports.flatMap((report) => report.ambiguousKeyMoves)
      expect(ambiguous.map(({ op, key }) => [op, key!.values])).toEqual([['d', [2n]]])
    })
  })
})

describe('interleaved transactions', () => {
  test('are applied in the order of their commits, whatever their LSNs', async () => {
    await expectRows('late-lower-lsn', {}, ['1 quick too', '2 slow', '3 slow'])
  })

  test('may insert a key before the transaction that frees it deletes it', async () => {
    await expectRows('reinsert-in-another-transaction', {}, ['1 new'])
  })

  test('may insert a key and delete its old row after that', async () => {
    await expectRows('reinsert-in-one-transaction', { replicaIdentity: 'full' }, ['1 new'])
  })
})

describe('a history that broke', () => {
  test('stops the table, names both positions and the cure, and writes nothing', async () => {
    for (const batches of waysToCut(eventsOf('history-broke'))) {
      const table = await TestTable.open()
      const before = batches.slice(0, -1)
      for (const batch of before) await table.apply(...batch)
      const objects = [...table.store.objects.keys()]
      const broken = table.apply(...batches.at(-1)!)
      await expect(broken).rejects.toMatchObject({ code: 'E_HISTORY_BROKE', remedy: 'stop-table' })
      await expect(broken).rejects.toThrow(/0:2900:3000.*0:4900:5000.*new snapshot.*public\.items.*offset 2/s)
      expect([...table.store.objects.keys()]).toEqual(objects)
    }
  })

  test('is not what it is when an old event is sent again', async () => {
    const [first, , broken] = eventsOf('history-broke')
    const table = await play([[first!], [{ ...broken!, sourceTimeUs: first!.sourceTimeUs }]], {})
    expect((await table.rows()).map(rowText)).toEqual(['1 before'])
    expect(tallyOf(table)).toMatchObject({ applied: 1, stale: 1 })
  })
})

describe('before-images', () => {
  test('made of an index and fillers are not taken for whole rows', async () => {
    await inEveryCut('using-index', {}, async (table) => {
      expect((await table.rows()).map(rowText)).toEqual(['1 aisle filler'])
      const { configuration } = (await table.snapshot()).metadata
      expect(configuration['alluvium.replicaIdentity']).toBeUndefined()
      expect(tallyOf(table).ignored).toBe(0)
    })
  })

  test('are whole once one of them equals the row that we hold, and then an update may be seen to change nothing', async () => {
    await inEveryCut('no-op-update', {}, async (table) => {
      expect((await table.rows()).map(rowText)).toEqual(['1 window b'])
      expect((await table.snapshot()).metadata.configuration['alluvium.replicaIdentity']).toBe('full')
      expect(tallyOf(table).ignored).toBe(1)
    })
  })

  test('do not drop an update as long as nothing proves them whole', async () => {
    const [create, , noop] = eventsOf('no-op-update')
    const table = await play([[create!], [noop!]], {})
    expect((await table.rows()).map(rowText)).toEqual(['1 window b'])
    expect(tallyOf(table)).toMatchObject({ applied: 2, ignored: 0 })
  })
})

describe('values that are not sent', () => {
  test('are kept where the row is known, and null and counted where it is not', async () => {
    await inEveryCut('unsent-values', {}, async (table) => {
      expect((await table.rows()).map(rowText)).toEqual(['1 aisle', '2 aisle kept'])
      expect(table.reports.reduce((sum, report) => sum + report.unresolvedUnavailable, 0)).toBe(1)
    })
  })

  test('move with their row from key to key', async () => {
    await expectRows('moved-unsent-values', {}, [`3 aisle ${'long '.repeat(60)}`])
  })

  test('are found where the new key is read before the old one, from another partition', async () => {
    const [create, gone, come] = eventsOf('moved-unsent-values')
    const elsewhere = { ...come!, at: { ...come!.at, partition: 1 } }
    for (const batches of [
      [[create!], [elsewhere], [gone!]],
      [[create!, elsewhere, gone!]],
      [[create!, elsewhere], [gone!]],
    ]) {
      const table = await play(batches, {})
      expect((await table.rows()).map(rowText)).toEqual([`2 window ${'long '.repeat(60)}`])
    }
  })

  test('are not taken from a row that has the old key since', async () => {
    const [create, gone, come] = eventsOf('moved-unsent-values')
    const other = changeEvent({
      columns: { id: 'long', name: 'string', note: 'string' },
      after: { id: 1n, name: 'door', note: 'another row' },
      position: 5000,
    })
    const elsewhere = { ...come!, at: { ...come!.at, partition: 1 } }
    for (const batches of [
      [[create!, gone!, other, elsewhere]],
      [[create!], [gone!, other], [elsewhere]],
      [[create!], [gone!], [other], [elsewhere]],
    ]) {
      const table = await play(batches, {})
      expect((await table.rows()).map(rowText)).toEqual([
        '1 door another row',
        `2 window ${'long '.repeat(60)}`,
      ])
    }
  })

  test('are found after a restart between the two halves of a key change', async () => {
    const events = eventsOf('moved-unsent-values')
    for (let cut = 1; cut < events.length; cut++) {
      const table = await play([events.slice(0, cut)], {})
      await table.reopen()
      await table.apply(...events.slice(cut))
      expect((await table.rows()).map(rowText), `cut at ${cut}`).toEqual([`3 aisle ${'long '.repeat(60)}`])
    }
  })
})

describe('without a key', () => {
  const seats = ['1 seat', '2 seat', '3 seat', '4 seat', '5 seat', '6 seat']

  test('a COPY that is sent again from its middle, and goes on, has every row once', async () => {
    await expectRows('copy-sent-again', {}, seats)
    await expectRows('copy-sent-again', { mode: 'append' }, seats)
  })

  test('an update that changes nothing is remembered, so that it can be known when it is sent again', async () => {
    const row = { id: 1n, v: 'a' }
    const insert = changeEvent({ key: null, after: row, position: 10 })
    const noop = changeEvent({ key: null, before: row, after: row, position: 20 })
    const table = await TestTable.open()
    for (const event of [insert, noop]) {
      await table.apply(event)
      await table.reopen()
    }
    await table.apply(insert, noop)
    expect(await table.rows()).toEqual([row])
  })

  test('a COPY that is sent again has every row once, also where the writer starts anew', async () => {
    const events = eventsOf('copy-sent-again')
    for (const mode of ['upsert', 'append'] as const) {
      const table = await TestTable.open({ contract: { mode } })
      for (const event of events) {
        await table.apply(event)
        await table.reopen()
      }
      expect((await table.rows()).map(rowText)).toEqual(seats)
    }
  })
})

describe('a truncate', () => {
  test('empties what came before it at the source, in whatever order partitions are read', async () => {
    const events = eventsOf('truncate-two-partitions')
    const [left, right] = [0, 1].map((p) => events.filter(({ at }) => at.partition === p))
    for (const order of mergesOf(left!, right!)) {
      const table = await TestTable.open()
      for (const event of order) await table.apply(event)
      expect((await table.rows()).map(rowText)).toEqual(['3 after', '4 after'])
      const batched = await play([order], {})
      expect((await batched.rows()).map(rowText)).toEqual(['3 after', '4 after'])
    }
  })

  function mergesOf<T>(a: readonly T[], b: readonly T[]): T[][] {
    if (a.length === 0 || b.length === 0) return [[...a, ...b]]
    const [first, second] = [mergesOf(a.slice(1), b), mergesOf(a, b.slice(1))]
    return [...first.map((rest) => [a[0]!, ...rest]), ...second.map((rest) => [b[0]!, ...rest])]
  }
})
