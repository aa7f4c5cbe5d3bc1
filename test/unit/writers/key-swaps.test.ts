import { describe, expect, test } from 'vitest'
import type { ChangeEvent } from '../../../schemas/change-event.ts'
import { changeEvent } from '../../support/change-event.ts'
import { TestTable } from '../../support/test-table.ts'

const FULL = { replicaIdentity: 'full' } as const

/** `update items set id = 3 - id`, keys checked at commit: as Postgres logs it, each row in its turn. */
function swap(one: string, two: string, partitionOf = (_: bigint): number => 0): ChangeEvent[] {
  const place = (id: bigint, lsn: number) =>
    ({ partition: partitionOf(id), position: [19, lsn], tx: 7 }) as const
  return [
    changeEvent({ before: { id: 1n, v: one }, newKey: { id: 2n }, ...place(1n, 20) }),
    changeEvent({ after: { id: 2n, v: one }, oldKey: { id: 1n }, ...place(2n, 20) }),
    changeEvent({ before: { id: 2n, v: two }, newKey: { id: 1n }, ...place(2n, 21) }),
    changeEvent({ after: { id: 1n, v: two }, oldKey: { id: 2n }, ...place(1n, 21) }),
  ]
}

function rows(one: string, two: string): ChangeEvent[] {
  return [
    changeEvent({ after: { id: 1n, v: one }, position: [9, 10], tx: 6 }),
    changeEvent({ after: { id: 2n, v: two }, position: [9, 11], tx: 6 }),
  ]
}

async function play(batches: readonly (readonly ChangeEvent[])[], restarts: boolean): Promise<TestTable> {
  const table = await TestTable.open({ contract: FULL })
  let offset = 0n
  for (const batch of batches) {
    await table.apply(...batch.map((event) => ({ ...event, at: { ...event.at, offset: offset++ } })))
    if (restarts) await table.reopen()
  }
  return table
}

function cutsOf(events: readonly ChangeEvent[]): ChangeEvent[][][] {
  const cuts: ChangeEvent[][][] = []
  for (let mask = 0; mask < 2 ** (events.length - 1); mask++) {
    const batches: ChangeEvent[][] = [[]]
    events.forEach((event, i) => {
      batches.at(-1)!.push(event)
      if (mask & (1 << i)) batches.push([])
    })
    cuts.push(batches)
  }
  return cuts
}

describe.each([false, true])('a swap of keys, with a restart after every batch: %s', (restarts) => {
  test.each([
    ['rows that differ', 'a', 'b'],
    ['rows that differ in nothing else', 'a', 'a'],
  ])('keeps %s', async (_, one, two) => {
    for (const cut of cutsOf(swap(one, two))) {
      const table = await play([rows(one, two), ...cut], restarts)
      expect(await table.rows(), JSON.stringify(cut.map((batch) => batch.length))).toEqual([
        { id: 1n, v: two },
        { id: 2n, v: one },
      ])
    }
  })

  test.each([
    ['rows that differ', 'a', 'b'],
    ['rows that differ in nothing else', 'a', 'a'],
  ])(
    'keeps %s when its end is sent again, also where a row was read anew in between',
    async (_, one, two) => {
      const events = swap(one, two)
      const read = changeEvent({ op: 'r', after: { id: 2n, v: one }, position: null, tx: null })
      for (const between of [[], [[read]]]) {
        for (let from = 0; from < events.length; from++) {
          const table = await play([rows(one, two), events, ...between, events.slice(from)], restarts)
          expect(await table.rows(), `from ${from}`).toEqual([
            { id: 1n, v: two },
            { id: 2n, v: one },
          ])
        }
      }
    },
  )

  test('keeps rows that differ in nothing else when the keys lie in two partitions', async () => {
    const [d1, c2, d2, c1] = swap('a', 'a', (id) => Number(id) % 2)
    for (const order of [
      [d1, c1, c2, d2],
      [c2, d2, d1, c1],
      [d1, c2, c1, d2],
    ]) {
      for (const cut of cutsOf(order as ChangeEvent[])) {
        const table = await play([rows('a', 'a'), ...cut], restarts)
        expect(await table.rows()).toEqual([
          { id: 1n, v: 'a' },
          { id: 2n, v: 'a' },
        ])
      }
    }
  })

  test('is no swap where a row goes and comes back', async () => {
    const [only] = rows('a', 'a')
    for (const cut of cutsOf(swap('a', 'a'))) {
      const table = await play([[only!], ...cut], restarts)
      expect(await table.rows()).toEqual([{ id: 1n, v: 'a' }])
    }
  })
})

test('a twin of one transaction is not asked for in the next', async () => {
  const table = await TestTable.open({ contract: FULL })
  await table.apply(...rows('a', 'a'), ...swap('a', 'a').slice(0, 2))
  await table.apply(
    changeEvent({ after: { id: 3n, v: 'c' }, position: [29, 30], tx: 8 }),
    changeEvent({ before: { id: 3n, v: 'c' }, position: [29, 31], tx: 8 }),
  )
  expect(await table.rows()).toEqual([{ id: 2n, v: 'a' }])
})

test('a row that moves in over one that was deleted and stays marked has no twin', async () => {
  const table = await TestTable.open({ contract: { ...FULL, deletes: 'soft' } })
  const tx = { tx: 8 } as const
  await table.apply(...rows('a', 'a'), changeEvent({ after: { id: 3n, v: 'c' }, position: [9, 12], tx: 6 }))
  await table.apply(changeEvent({ before: { id: 2n, v: 'a' }, position: [19, 20], tx: 7 }))
  await table.apply(
    changeEvent({ before: { id: 1n, v: 'a' }, newKey: { id: 2n }, position: [29, 30], ...tx }),
    changeEvent({ after: { id: 2n, v: 'a' }, oldKey: { id: 1n }, position: [29, 30], ...tx }),
    changeEvent({ before: { id: 3n, v: 'c' }, after: { id: 3n, v: 'd' }, position: [29, 31], ...tx }),
  )
  await table.apply(changeEvent({ before: { id: 3n, v: 'd' }, position: [29, 32], ...tx }))
  const stored = await table.storedRows()
  expect(stored.map(({ id, _cdc_deleted }) => [id, _cdc_deleted]).sort()).toEqual([
    [1n, true],
    [2n, false],
    [3n, true],
  ])
})
