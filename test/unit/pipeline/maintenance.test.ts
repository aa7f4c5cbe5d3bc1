import { beforeEach, expect, test } from 'vitest'
import type { Logger } from '../../../core/ports.ts'
import { DEFAULT_CONTRACT } from '../../../schemas/contract.ts'
import { Maintenance } from '../../../src/pipeline/maintenance.ts'
import { TableOwner } from '../../../src/pipeline/table-owner.ts'
import { changeEvent } from '../../support/change-event.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { HandClock, testPorts } from '../../support/test-ports.ts'
import { TestTable } from '../../support/test-table.ts'

/** Time that passes by nothing but a turn of the event loop; a wait of seconds has no end. */
class PatientClock extends HandClock {
  override sleep(ms: number): Promise<void> {
    return ms >= 1000 ? new Promise(() => {}) : new Promise((resolve) => setImmediate(resolve))
  }
}

let table: TestTable
let clock: PatientClock
let warnings: string[]
let maintenance: Maintenance

beforeEach(async () => {
  const store = new MemoryStore()
  table = await TestTable.open({ store })
  for (let id = 1; id <= 8; id++)
    await table.apply(changeEvent({ position: 100 + id, after: { id: BigInt(id), v: 'v' } }))
  clock = new PatientClock()
  warnings = []
  const logger: Logger = { debug() {}, info() {}, error() {}, warn: (_, message) => warnings.push(message) }
  maintenance = new Maintenance({ ...testPorts(store), clock, logger })
})

function ownerOf(): TableOwner {
  const owner = new TableOwner({ ...DEFAULT_CONTRACT, name: 'public.items' })
  owner.writer = table.writer
  return owner
}

async function filesAfter(owner: TableOwner): Promise<number> {
  maintenance.after(owner)
  await maintenance.settle()
  return (await table.snapshot()).files.size
}

test('small files are merged after a flush', async () => {
  expect(await filesAfter(ownerOf())).toBe(1)
})

test('a table whose contract turns merging off keeps its files', async () => {
  await table.reopen({ merging: 'off' })
  await table.apply(changeEvent({ position: 109, after: { id: 9n, v: 'v' } }))
  expect(await filesAfter(ownerOf())).toBe(9)
})

test('a table that is paused, or stands still, is left alone', async () => {
  const held = ownerOf()
  held.isHeld = true
  expect(await filesAfter(held)).toBe(8)
  held.isHeld = false
  expect(await filesAfter(held)).toBe(1)
})

test('a merge that fails is told, and tried again after a rest', async () => {
  const owner = ownerOf()
  table.store.before = (_, site) => {
    if (site === 'data.get') throw new Error('a bad disk')
  }
  expect(await filesAfter(owner)).toBe(8)
  expect(warnings).toEqual(['the upkeep of a table failed'])
  table.store.before = () => {}
  expect(await filesAfter(owner)).toBe(8)
  clock.now += 61_000
  expect(await filesAfter(owner)).toBe(1)
})
