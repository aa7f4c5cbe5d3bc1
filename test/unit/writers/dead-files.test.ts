import { beforeEach, describe, expect, test } from 'vitest'
import { changeEvent } from '../../support/change-event.ts'
import { deriveFeed } from '../../support/derived-feed.ts'
import { TestTable } from '../../support/test-table.ts'

let position = 0

const create = (id: number) => changeEvent({ after: { id: BigInt(id), v: 'a' }, position: ++position })
const remove = (id: number) => changeEvent({ before: { id: BigInt(id) }, position: ++position })

beforeEach(() => {
  position = 0
})

async function lastActions(table: TestTable) {
  const actions = (await table.entries()).at(-1)!
  return {
    removes: actions.filter((action) => action.kind === 'remove'),
    adds: actions.filter((action) => action.kind === 'add'),
  }
}

describe('a file that loses its last row', () => {
  test('is removed when no row of it had gone before', async () => {
    const table = await TestTable.open()
    await table.apply(create(1), create(2))
    await table.apply(remove(1), remove(2))
    const { removes, adds } = await lastActions(table)
    expect([removes.length, adds.length]).toEqual([1, 0])
  })

  test('stays with a full vector when readers derive the feed and it had a vector', async () => {
    const table = await TestTable.open()
    await table.apply(create(1), create(2), create(3))
    await table.apply(remove(1))
    await table.apply(remove(2), remove(3))
    const { removes, adds } = await lastActions(table)
    expect(adds.map(({ path }) => path)).toEqual(removes.map(({ path }) => path))
    expect(adds[0]!.deletionVector!.cardinality).toBe(3)
    expect(JSON.parse(adds[0]!.stats!)).toMatchObject({ numRecords: 3, tightBounds: false })
    expect(await table.rows()).toEqual([])
    expect((await deriveFeed(table.store)).at(-1)!.changes.map(({ type, row }) => [type, row['id']])).toEqual(
      [
        ['delete', 2n],
        ['delete', 3n],
      ],
    )
  })

  test.each([
    ['the commit has change files', { replicaIdentity: 'full' } as const],
    ['the table has no feed', { changeFeed: 'off' } as const],
  ])('is removed with its vector when %s', async (_, contract) => {
    const table = await TestTable.open({ contract })
    await table.apply(create(1), create(2))
    await table.apply(remove(1))
    // An update beside it: a commit of deletes alone has no change files.
    const moved = changeEvent({
      before: { id: 2n, v: 'a' },
      after: { id: 2n, v: 'b' },
      position: ++position,
    })
    await table.apply(moved)
    const { removes, adds } = await lastActions(table)
    expect(adds.map(({ path }) => path)).not.toContain(removes[0]!.path)
  })

  test('is dropped with others like it, by a commit that adds nothing', async () => {
    const table = await TestTable.open()
    for (let id = 0; id < 16; id += 2) await table.apply(create(id), create(id + 1))
    for (let id = 0; id < 16; id += 2) await table.apply(remove(id))
    await table.apply(create(100))
    for (let id = 0; id < 16; id += 2) await table.apply(remove(id + 1))
    const report = await table.writer.mergeWhenDue(new AbortController().signal)
    expect(report).toMatchObject({ filesRemoved: 8, bytesWritten: 0, rows: 0 })
    const { removes, adds } = await lastActions(table)
    expect([removes.length, adds.length]).toEqual([8, 0])
    expect(removes.every(({ dataChange }) => !dataChange)).toBe(true)
    expect((await table.snapshot()).files.size).toBe(1)
    await table.apply(create(1))
    expect((await table.rows()).map(({ id }) => id)).toEqual([100n, 1n])
  })
})
