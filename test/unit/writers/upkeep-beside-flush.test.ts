import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { StoreSite } from '../../../core/store-sites.ts'
import { changeEvent } from '../../support/change-event.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { TestTable } from '../../support/test-table.ts'

/** Log entries are not put before the gate opens. */
class GatedStore extends MemoryStore {
  gate: Promise<unknown> = Promise.resolve()

  override async putIfAbsent(site: StoreSite, path: string, bytes: Uint8Array) {
    await this.gate
    return super.putIfAbsent(site, path, bytes)
  }
}

// Found by the simulation, seed 192.
test('upkeep forgets no file of a flush that is under way', async () => {
  const store = new GatedStore()
  const table = await TestTable.open({ store })
  for (let id = 0; id <= 100; id++) await table.apply(row(id, 'a'))
  let open = () => {}
  store.gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const flush = table.apply(row(101, 'a'))
  await setImmediate()
  const upkeep = table.writer.upkeepWhenDue()
  await setImmediate()
  open()
  await Promise.all([flush, upkeep])
  await table.apply(changeEvent({ op: 'u', after: { id: 101n, v: 'b' }, position: 500, offset: 500 }))
  expect(await table.rows()).toHaveLength(102)
  expect(await table.rows()).toContainEqual({ id: 101n, v: 'b' })
})

function row(id: number, v: string) {
  return changeEvent({ after: { id: BigInt(id), v }, position: 10 + id, offset: id })
}
