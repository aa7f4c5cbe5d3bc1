import { expect, test } from 'vitest'
import type { ChangeEvent } from '../../../../schemas/change-event.ts'
import { changeEvent } from '../../../support/change-event.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { TestTable } from '../../../support/test-table.ts'

/** A row of a table without a key: nothing but the offset tells that it is read a second time by another process. */
function row(id: number): ChangeEvent {
  const event = changeEvent({ position: 100 + id, offset: id, after: { id: BigInt(id), v: 'v' } })
  return { ...event, key: null }
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
