import { expect, test } from 'vitest'
import type { ChangeEvent } from '../../../../schemas/change-event.ts'
import { changeEvent } from '../../../support/change-event.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { TestTable } from '../../../support/test-table.ts'

const PLACE = { topic: 'shop.public.items', partition: 0 }

function keyed(id: number): ChangeEvent {
  return changeEvent({ position: 100 + id, offset: id, after: { id: BigInt(id), v: 'v' } })
}

/** A row of a table without a key: nothing but the offset tells that it is read a second time by another process. */
function row(id: number): ChangeEvent {
  return { ...keyed(id), key: null }
}

test('a commit that only a merge has followed fences all the same', async () => {
  const store = new MemoryStore()
  const ours = await TestTable.open({ store })
  for (let id = 1; id <= 8; id++) await ours.apply(row(id))
  const theirs = await TestTable.open({ store })
  await theirs.apply(row(9), row(10))
  expect(await ours.writer.mergeWhenDue(new AbortController().signal)).not.toBeNull()
  await expect(ours.apply(row(9), row(11))).rejects.toMatchObject({ code: 'E_FENCED' })
  expect((await ours.rows()).map(({ id }) => id)).toEqual([10n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n])
})

test('also a commit of a partition that ours has nothing of', async () => {
  const store = new MemoryStore()
  const ours = await TestTable.open({ store })
  await ours.apply(changeEvent({ position: 1, offset: 0, partition: 1, after: { id: 100n, v: 'v' } }))
  for (let id = 1; id <= 7; id++) await ours.apply(keyed(id))
  await ours.reopen()
  await ours.apply(keyed(8))
  const theirs = await TestTable.open({ store })
  await theirs.apply(changeEvent({ position: 2, offset: 1, partition: 1, after: { id: 101n, v: 'v' } }))
  expect(await ours.writer.mergeWhenDue(new AbortController().signal)).not.toBeNull()
  await expect(ours.writer.flush([{ ...PLACE, nextOffset: 10n }], [keyed(9)])).rejects.toMatchObject({
    code: 'E_FENCED',
  })
})
