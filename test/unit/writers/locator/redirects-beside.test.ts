import { expect, test } from 'vitest'
import { KeyLocator } from '../../../../writers/locator/key-locator.ts'
import { LocatorKeeper } from '../../../../writers/locator/locator-keeper.ts'
import { LocatorMemory } from '../../../../writers/locator/locator-memory.ts'
import { RunShelf } from '../../../../writers/locator/run-shelf.ts'
import { readSaved } from '../../../../writers/locator/saved-locator.ts'
import { Pace } from '../../../../writers/pace.ts'
import { changeEvent } from '../../../support/change-event.ts'
import { ForeignWriter } from '../../../support/foreign-writer.ts'
import { MemoryFiles } from '../../../support/memory-files.ts'
import { countedRandom, HandClock } from '../../../support/test-ports.ts'
import { TestTable } from '../../../support/test-table.ts'

const NEVER = new AbortController().signal
const KEY = Uint32Array.of(1, 2, 3, 4)
const pace = new Pace(new HandClock(), NEVER)

function position(lsn: bigint) {
  return { epoch: 0, seq: lsn, lsn }
}

// Found by the simulation, seed 109316.
test('what a truncate keeps stands where it stood, also when redirects end before the truncate is committed', async () => {
  const shelf = new RunShelf(new MemoryFiles(), 'locator', countedRandom())
  const locator = new KeyLocator({ disk: { shelf, memory: new LocatorMemory(0) } })
  const keeper = new LocatorKeeper(locator, ['id'], '')
  const [old, merged] = [locator.files.ordinalOf('old'), locator.files.ordinalOf('merged')]
  locator.put(KEY, 0, { file: old, row: 0 }, position(9n))
  locator.files.redirect(old, merged, Int32Array.of(7))
  const forget = await locator.below(position(5n), () => {})
  await locator.settle(pace)
  locator.files.endRedirects([old])
  forget()
  await keeper.keep(async (work) => work(null), pace)
  const [found] = await locator.findAll(KEY, 1)
  expect(found?.place).toEqual({ file: merged, row: 7 })
})

// Found by the simulation, seed 109612.
test('a file of which entries may name deleted rows is saved without its vector, so that a later process looks at it', async () => {
  const files = new MemoryFiles()
  const table = await TestTable.open({ locators: { files, memory: new LocatorMemory(0) } })
  const row = (id: bigint, lsn: number) => changeEvent({ after: { id, v: 'a' }, position: [9, lsn], tx: 1 })
  await table.apply(row(1n, 10), row(2n, 11), row(3n, 12))
  await table.writer.keepLocator(NEVER)
  await new ForeignWriter(table.store).deleteWhere(({ id }) => id === 2n)
  await table.apply(row(4n, 13))
  await table.writer.saveLocator(NEVER)
  await table.reopen()
  await table.apply(row(2n, 14))
  expect((await table.rows()).map(({ id }) => id).sort()).toEqual([1n, 2n, 3n, 4n])
  const [folder] = [...files.files.keys()].map((path) => path.split('/').slice(0, -1).join('/'))
  const saved = await readSaved(files, folder!)
  expect(saved?.files.map(([, file]) => 'deletionVector' in file)).not.toContain(true)
})
