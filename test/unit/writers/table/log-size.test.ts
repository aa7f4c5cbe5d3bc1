import { expect, test } from 'vitest'
import { readLogSize } from '../../../../writers/table/log-size.ts'
import { changeEvent } from '../../../support/change-event.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { TABLE_PATH, TestTable } from '../../../support/test-table.ts'

async function commit(table: TestTable, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    table.store.nowMs += 10_000
    const id = table.reports.length
    await table.apply(changeEvent({ position: 100 + id, after: { id: BigInt(id), v: 'v' } }))
  }
}

test('the cost of a log is what its newest version takes to read, and what its commits ask of the store', async () => {
  const table = await TestTable.open({ store: new MemoryStore() })
  await commit(table, 5)
  const few = await readLogSize(table.store, TABLE_PATH)
  expect(few.requestsPerDay).toBeNull()
  await commit(table, 95)
  const many = await readLogSize(table.store, TABLE_PATH)
  expect(many.logBytes).toBeGreaterThan(10 * few.logBytes)
  expect(many.requestsPerDay).toBe(4 * 8640)
  await table.writer.upkeepWhenDue()
  const checkpoint = await readLogSize(table.store, TABLE_PATH)
  expect(checkpoint.logBytes).toBeLessThan(many.logBytes)
  expect(checkpoint.logBytes).toBeGreaterThan(0)
})
