import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ENTRY_WORDS, FILE, PARTS, partOf, ROW, setHash } from '../../../../writers/locator/entry.ts'
import { mergeEntries } from '../../../../writers/locator/entry-cursor.ts'
import { EntryPile, PileCursor } from '../../../../writers/locator/entry-pile.ts'
import { EntryTable } from '../../../../writers/locator/entry-table.ts'
import { entriesOf } from '../../../support/part-entries.ts'

/** Hashes that meet: few parts, few places in them, equal first words. */
const hash: fc.Arbitrary<Uint32Array> = fc
  .record({
    part: fc.constantFrom(0, 1, 63),
    first: fc.oneof(fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff)),
    rest: fc.nat(3),
  })
  .map(({ part, first, rest }) => Uint32Array.of((part << 26) >>> 0, first, 0, rest))

function piled(hashes: readonly Uint32Array[]): EntryPile {
  const pile = new EntryPile()
  const entry = new Uint32Array(ENTRY_WORDS)
  hashes.forEach((words, row) => {
    setHash(entry, words, 0)
    entry[FILE] = 7
    entry[ROW] = row
    pile.add(partOf(words, 0), entry)
  })
  return pile
}

/** What is wanted of a pile, as texts in their order: of each key the row that came last. */
function newest(hashes: readonly Uint32Array[]): string[] {
  const rows = new Map(hashes.map((words, row) => [textOf(partOf(words, 0), words, 1), row]))
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([text, row]) => `${text} ${row}`)
}

function textOf(part: number, words: Uint32Array, at: number): string {
  return [part, ...words.subarray(at, at + 3)].map((word) => word.toString(16).padStart(8, '0')).join(' ')
}

test('what is piled up comes out sorted, of each key the newest', async () => {
  const property = fc.asyncProperty(fc.array(hash, { maxLength: 300, size: 'max' }), async (hashes) => {
    const walked: string[] = []
    await mergeEntries([new PileCursor(piled(hashes))], (part, words, at) => {
      walked.push(`${textOf(part, words, at)} ${words[at + ROW]}`)
      return undefined
    })
    expect(walked).toEqual(newest(hashes))
  })
  await fc.assert(property, { numRuns: 40 })
})

test('what is piled up is put over what a table holds', () => {
  const property = fc.property(fc.array(hash, { maxLength: 200 }), fc.array(hash), (later, earlier) => {
    const table = new EntryTable()
    for (const hashes of [earlier, later]) {
      const pile = piled(hashes)
      for (let part = 0; part < PARTS; part++) table.putSorted(part, pile.sorted(part))
    }
    const held = [...table.parts()].flatMap(({ index, part }) =>
      entriesOf(part).map((at) => textOf(index, part.words, at)),
    )
    expect(held).toEqual(newest([...earlier, ...later]).map((text) => text.slice(0, text.lastIndexOf(' '))))
    for (const [row, words] of later.entries()) {
      if (later.slice(row + 1).some((other) => other.join() === words.join())) continue
      const part = table.part(words, 0)!
      expect(part.words[part.find(words, 1) + ROW]).toBe(row)
    }
  })
  fc.assert(property, { numRuns: 40 })
})

test('a pile of many chunks is sorted, and counts what it holds', () => {
  const hashes = Array.from({ length: 300_000 }, (_, i) =>
    Uint32Array.of(Math.imul(i, 0x9e3779b1), Math.imul(i, 0x85ebca6b), i, i),
  )
  const pile = piled(hashes)
  expect(pile.size).toBe(300_000)
  let count = 0
  for (let part = 0; part < PARTS; part++) {
    const sorted = pile.sorted(part)
    for (let at = ENTRY_WORDS; at < sorted.length; at += ENTRY_WORDS) {
      if (sorted[at]! < sorted[at - ENTRY_WORDS]!) throw new Error(`not sorted in part ${part}`)
    }
    count += sorted.length / ENTRY_WORDS
    pile.clear(part)
  }
  expect(count).toBe(300_000)
  expect(pile.sizeBytes).toBe(0)
})
