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

// Found by the simulation, seed 201585.
test('a truncate of a table that is not there yet is told as passed by the commit that makes the table', async () => {
  const table = await TestTable.open()
  await table.apply(changeEvent({ op: 't', key: null, position: 50, partition: 0, offset: 2 }))
  expect(table.writer.version).toBeNull()
  await table.apply(
    changeEvent({ after: { id: 1n, v: 'gone' }, position: 40, partition: 1, offset: 0 }),
    changeEvent({ after: { id: 2n, v: 'b' }, position: 60, partition: 1, offset: 1 }),
  )
  expect(await table.rows()).toEqual([{ id: 2n, v: 'b' }])
  const { txns } = await table.snapshot()
  expect(txns.get(`alluvium/p/${TOPIC}/0`)?.version).toBe(3n)
  expect(txns.get('alluvium/p/floor.lsn')?.version).toBe(50n)
})
