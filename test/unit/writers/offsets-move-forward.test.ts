import { expect, test } from 'vitest'
import { changeEvent } from '../../support/change-event.ts'
import { TestTable } from '../../support/test-table.ts'

const TOPIC = 'shop.public.items'

// Found by the simulation, seed 3: a process starts again from the passed mark, which is behind the table.
test('a flush in the middle of what is read once more moves no partition back', async () => {
  const table = await TestTable.open()
  await table.apply(changeEvent({ after: { id: 1n, v: 'a' }, position: 10, partition: 0, offset: 6 }))
  await table.reopen()
  table.writer.add(changeEvent({ after: { id: 2n, v: 'b' }, position: 20, partition: 1, offset: 0 }))
  await table.writer.flush([
    { topic: TOPIC, partition: 0, nextOffset: 2n },
    { topic: TOPIC, partition: 1, nextOffset: 1n },
  ])
  expect(table.writer.nextOffset(TOPIC, 0)).toBe(7n)
  expect(table.writer.nextOffset(TOPIC, 1)).toBe(1n)
  const { txns } = await table.snapshot()
  expect(txns.get(`alluvium/p/${TOPIC}/0`)?.version).toBe(7n)
})
