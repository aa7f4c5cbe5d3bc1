import { expect, test } from 'vitest'
import { BagLocator } from '../../../writers/locator/bag-locator.ts'
import { Pace } from '../../../writers/pace.ts'
import { HandClock } from '../../support/test-ports.ts'

test('many copies of one row follow merged files at once, not each copy for each of them', async () => {
  const COPIES = 70_000
  const bag = new BagLocator()
  const words = new Uint32Array(4)
  const [small, merged, larger] = ['small', 'merged', 'larger'].map((path) => bag.files.ordinalOf(path))
  const rows = Int32Array.from({ length: COPIES }, (_, row) => row)
  for (const row of rows) bag.add(words, 0, { place: { file: small!, row }, position: null })
  for (const [from, to] of [
    [small!, merged!],
    [merged!, larger!],
  ] as const) {
    bag.files.redirect(from, to, rows)
    await bag.settleWhenDue(new Pace(new HandClock(), new AbortController().signal))
    expect(bag.files.redirected).toEqual([])
    const copies = bag.copies(words, 0, COPIES)
    expect(copies.every(({ place }) => place.file === to)).toBe(true)
  }
})
