import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DELETED, ENTRY_WORDS, FILE, partOf, ROW, setHash } from '../../../../writers/locator/entry.ts'
import { EntryTable } from '../../../../writers/locator/entry-table.ts'
import { entriesOf } from '../../../support/part-entries.ts'

/** Hashes that meet: two parts, few places at the beginning, the middle and the end of a part, equal first words. */
const hash: fc.Arbitrary<Uint32Array> = fc
  .record({
    part: fc.constantFrom(0, 63),
    first: fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff),
    rest: fc.nat(40),
  })
  .map(({ part, first, rest }) => Uint32Array.of((part << 26) >>> 0, first, 0xffff_ffff, rest))

function entry(words: Uint32Array, row: number): Uint32Array {
  const made = new Uint32Array(ENTRY_WORDS)
  setHash(made, words, 0)
  made[FILE] = 7
  made[ROW] = row
  return made
}

function rowOf(table: EntryTable, words: Uint32Array): number | undefined {
  const part = table.part(words, 0)
  const at = part?.find(words, 1) ?? -1
  return at < 0 ? undefined : part!.words[at + ROW]
}

/** All entries as they lie there, by part and hash. */
function contents(table: EntryTable): [order: string, row: number][] {
  const hex = (word: number): string => word.toString(16).padStart(8, '0')
  return [...table.parts()].flatMap(({ index, part }) =>
    entriesOf(part).map((at): [string, number] => [
      [index, ...part.words.subarray(at, at + 3)].map(hex).join(' '),
      part.words[at + ROW]!,
    ]),
  )
}

describe('the table of entries', () => {
  test('holds what a Map would hold, in the order of the hashes', () => {
    const change = fc.record({ words: hash, row: fc.option(fc.nat(DELETED)) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300, size: 'max' }), (changes) => {
        const table = new EntryTable()
        const model = new Map<string, number>()
        for (const { words, row } of changes) {
          const name = words.join(' ')
          if (row === null) expect(table.delete(words, 0)).toBe(model.delete(name))
          else {
            table.put(partOf(words, 0), entry(words, row))
            model.set(name, row)
          }
        }
        for (const { words } of changes) expect(rowOf(table, words)).toBe(model.get(words.join(' ')))
        expect(table.size).toBe(model.size)
        const found = contents(table)
        expect(found).toEqual([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
        expect(found.map(([, row]) => row).sort()).toEqual([...model.values()].sort())

        table.removeWhere((all, at) => all[at + ROW]! % 2 === 0)
        for (const { words } of changes) {
          const row = model.get(words.join(' '))
          expect(rowOf(table, words)).toBe(row !== undefined && row % 2 === 0 ? undefined : row)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('finds every entry while it grows, in less than 40 bytes an entry', () => {
    const words = (i: number): Uint32Array =>
      Uint32Array.of(Math.imul(i, 0x9e3779b1), Math.imul(i, 0x85ebca6b), i, i)
    for (const expected of [0, 50_000]) {
      const table = new EntryTable(expected)
      for (let i = 0; i < 50_000; i++) table.put(partOf(words(i), 0), entry(words(i), i))
      for (let i = 0; i < 50_000; i += 7) expect(rowOf(table, words(i))).toBe(i)
      expect(rowOf(table, words(50_000))).toBeUndefined()
      expect(table.sizeBytes).toBeLessThan(50_000 * 40)
    }
  })
})
