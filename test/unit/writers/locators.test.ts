import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrayOf, type Cell, type DeltaType, decimal } from '../../../schemas/delta-types.ts'
import { comparePositions, type Position } from '../../../schemas/position.ts'
import { BagLocator } from '../../../writers/locator/bag-locator.ts'
import { FileOrdinals } from '../../../writers/locator/file-ordinals.ts'
import { HashTable, type Place } from '../../../writers/locator/hash-table.ts'
import { KeyHasher } from '../../../writers/locator/key-encoding.ts'
import { countedRandom } from '../../support/test-ports.ts'

/**
 * Hashes that meet: few parts, few homes inside a part (so that probes run on, wrap around and shift back), and a last
 * word that tells them apart.
 */
const hash: fc.Arbitrary<Uint32Array> = fc
  .record({ part: fc.nat(1), home: fc.constantFrom(0, 1, 13, 14, 15, 16, 17, 31), rest: fc.nat(40) })
  .map(({ part, home, rest }) => Uint32Array.of((part << 26) >>> 0, home, 7, rest))

const position: fc.Arbitrary<Position | null> = fc.option(
  fc.record({ epoch: fc.nat(1), seq: fc.bigInt(0n, 3n), lsn: fc.bigInt(0n, 2n ** 63n - 1n) }),
)

function nameOf(words: Uint32Array): string {
  return words.join(' ')
}

describe('the hash table', () => {
  type Change = { readonly put: boolean; readonly words: Uint32Array; readonly value: number }
  const change: fc.Arbitrary<Change> = fc.record({
    put: fc.boolean(),
    words: hash,
    value: fc.nat(2 ** 31 - 2),
  })

  test('holds what a Map would hold after any puts and deletes', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400, size: 'max' }), (changes) => {
        const table = new HashTable()
        const model = new Map<string, number>()
        for (const { put, words, value } of changes) {
          const name = nameOf(words)
          if (put) {
            table.put(words, 0, { file: value, row: value ^ 1 }, value % 9, BigInt(value), -BigInt(value))
            model.set(name, value)
          } else {
            expect(table.delete(words, 0)).toBe(model.delete(name))
          }
        }
        expect(entriesOf(table)).toEqual(new Map([...model].sort()))
        expect(table.size).toBe(model.size)
      }),
      { numRuns: 60 },
    )
  })

  test('finds every entry while it grows, and takes the room that it says', () => {
    const table = new HashTable()
    const words = (i: number): Uint32Array => Uint32Array.of(Math.imul(i, 0x9e3779b1), i, i, i)
    const before = table.sizeBytes
    for (let i = 0; i < 20_000; i++) table.put(words(i), 0, { file: i, row: i }, 0, 0n, 0n)
    const found = Array.from({ length: 20_000 }, (_, i) => table.file(table.find(words(i), 0)))
    expect(found).toEqual(Array.from({ length: 20_000 }, (_, i) => i))
    expect(table.find(words(20_000), 0)).toBe(-1)
    expect(table.sizeBytes).toBeGreaterThan(before)
    expect(table.sizeBytes).toBeGreaterThanOrEqual(20_000 * 44)
  })

  test('reads a hash from the middle of an array', () => {
    const table = new HashTable()
    table.put(Uint32Array.of(9, 9, 1, 2, 3, 4), 2, { file: 5, row: 6 }, 0, 1n, 2n)
    const slot = table.find(Uint32Array.of(1, 2, 3, 4), 0)
    expect([table.file(slot), table.row(slot), table.seq(slot), table.lsn(slot)]).toEqual([5, 6, 1n, 2n])
  })

  test('moves an entry back over the end of its part when the one before it goes', () => {
    const table = new HashTable()
    const at = (home: number, rest: number): Uint32Array => Uint32Array.of(0, home, 0, rest)
    for (const rest of [1, 2, 3]) table.put(at(15, rest), 0, { file: rest, row: 0 }, 0, 0n, 0n)
    table.delete(at(15, 1), 0)
    expect(table.file(table.find(at(15, 2), 0))).toBe(2)
    expect(table.file(table.find(at(15, 3), 0))).toBe(3)
  })

  function entriesOf(table: HashTable): Map<string, number> {
    const found = [...table.slots()].map((slot): [string, number] => {
      const words = new Uint32Array(4)
      table.copyHash(slot, words, 0)
      const value = table.file(slot)
      expect(table.find(words, 0)).toBe(slot)
      expect(table.row(slot)).toBe(value ^ 1)
      expect(table.epoch(slot)).toBe(value % 9)
      expect([table.seq(slot), table.lsn(slot)]).toEqual([BigInt(value), -BigInt(value)])
      return [nameOf(words), value]
    })
    return new Map(found.sort())
  }
})

describe('the bag locator', () => {
  interface Copy {
    readonly place: Place
    readonly position: Position | null
  }

  test('keeps every copy of every row, whichever are added, taken, merged and truncated', () => {
    const step = fc.oneof(
      fc.record({ act: fc.constant('add' as const), words: hash, position }),
      fc.record({ act: fc.constant('take' as const), words: hash, count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ act: fc.constant('merge' as const) }),
      fc.record({ act: fc.constant('truncate' as const), floor: position }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const locator = new BagLocator()
        const model = new Map<string, Copy[]>()
        const hashes = new Map<string, Uint32Array>()
        let row = 0
        let file = locator.files.ordinalOf('first')
        for (const step of steps) {
          if (step.act === 'truncate') {
            if (step.floor !== null) truncate(locator, model, step.floor)
            continue
          }
          if (step.act === 'merge') {
            const merged = locator.files.ordinalOf(`merged ${file}`)
            locator.files.redirect(
              file,
              merged,
              Int32Array.from({ length: row }, (_, i) => i),
            )
            file = merged
            continue
          }
          const name = nameOf(step.words)
          hashes.set(name, step.words)
          const copies = model.get(name) ?? []
          if (step.act === 'add') {
            const copy = { place: { file, row: row++ }, position: step.position }
            locator.add(step.words, 0, copy)
            model.set(name, [...copies, copy])
          } else {
            const taken = rowsOf(locator.copies(step.words, 0, step.count))
            expect(taken).toHaveLength(Math.min(step.count, copies.length))
            locator.remove(step.words, 0, step.count)
            model.set(
              name,
              copies.filter(({ place }) => !taken.includes(place.row)),
            )
          }
        }
        for (const [name, words] of hashes) {
          const copies = locator.copies(words, 0, 1000)
          expect(rowsOf(copies)).toEqual(rowsOf(model.get(name) ?? []))
          expect(copies.every(({ place }) => place.file === file)).toBe(true)
        }
        expect(locator.size).toBe([...model.values()].flat().length)
      }),
      { numRuns: 50 },
    )
  })

  function truncate(locator: BagLocator, model: Map<string, Copy[]>, floor: Position): void {
    const isBelow = (of: Position | null): boolean => of === null || comparePositions(of, floor) < 0
    const gone = [...model.values()].flat().filter((copy) => isBelow(copy.position))
    expect(rowsOf([...locator.below(floor)])).toEqual(rowsOf(gone))
    locator.removeBelow(floor)
    for (const [name, copies] of model)
      model.set(
        name,
        copies.filter((copy) => !isBelow(copy.position)),
      )
  }

  function rowsOf(copies: readonly Copy[]): number[] {
    return copies.map(({ place }) => place.row).sort((a, b) => a - b)
  }
})

describe('file ordinals', () => {
  test('number each path once and lead back to it', () => {
    const files = new FileOrdinals()
    expect([files.ordinalOf('a'), files.ordinalOf('b'), files.ordinalOf('a')]).toEqual([0, 1, 0])
    expect([files.pathOf(0), files.pathOf(1)]).toEqual(['a', 'b'])
    expect(() => files.pathOf(2)).toThrow('never given out')
  })
})

describe('the hash of a key', () => {
  const hasher = new KeyHasher(countedRandom())

  function hashOf(types: readonly DeltaType[], values: readonly Cell[]): string {
    const words = new Uint32Array(4)
    hasher.hashKey(types, values, words, 0)
    return nameOf(words)
  }

  test.each<[string, DeltaType, Cell, DeltaType, Cell]>([
    ['an integer and the same long', 'integer', -7, 'long', -7n],
    ['a decimal and the same with more digits', decimal(10, 2), -150n, decimal(20, 5), -150_000n],
    ['a float and the same double', 'float', 0.5, 'double', 0.5],
    ['an empty text and the null that a partition column makes of it', 'string', '', 'string', null],
    ['a negative zero and the zero that a partition column makes of it', 'double', -0, 'double', 0],
    ['a date array and itself', arrayOf('date'), [1, null], arrayOf('date'), [1, null]],
  ])('is the same for %s', (_, typeOfA, a, typeOfB, b) => {
    expect(hashOf([typeOfA], [a])).toBe(hashOf([typeOfB], [b]))
  })

  test.each<[string, readonly DeltaType[], readonly Cell[], readonly Cell[]]>([
    ['texts cut in two places', ['string', 'string'], ['ab', 'c'], ['a', 'bc']],
    ['null first and null last', ['long', 'long'], [null, 1n], [1n, null]],
    ['numbers beyond 2^53', ['long'], [9_007_199_254_740_993n], [9_007_199_254_740_992n]],
    ['an empty array and one null', [arrayOf('long')], [[]], [[null]]],
    ['texts that only UTF-8 tells apart', ['string'], ['\u{1F600}'], ['\uFFFD\uFFFD']],
  ])('differs for %s', (_, types, a, b) => {
    expect(hashOf(types, a)).not.toBe(hashOf(types, b))
  })

  test('of a whole row leaves nulls out, and knows a value by its column', () => {
    const rowHash = (names: readonly string[], cells: readonly Cell[]): string => {
      const words = new Uint32Array(4)
      hasher.hashRow(
        names.map((name) => ({ name, type: 'long' })),
        cells,
        words,
        0,
      )
      return nameOf(words)
    }
    expect(rowHash(['a', 'b', 'c'], [1n, null, 2n])).toBe(rowHash(['a', 'c'], [1n, 2n]))
    expect(rowHash(['a', 'b'], [1n, null])).not.toBe(rowHash(['a', 'b'], [null, 1n]))
  })
})
