import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ExactJson, parseExactJson, stringifyExactJson } from '../../writers/delta/exact-json.ts'
import { LayeredMap } from '../../writers/delta/layered-map.ts'
import { decodeRowSet, encodeRowSet } from '../../writers/delta/roaring-format.ts'
import { RowSet } from '../../writers/delta/row-set.ts'
import { truncatedMax, truncatedMin } from '../../writers/delta/statistics.ts'

const rows = fc.oneof(
  fc.array(fc.nat(300)),
  fc.array(fc.nat(2 ** 32 - 1)),
  fc
    .tuple(fc.nat(70_000), fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 9 }))
    .map(([from, count, step]) => Array.from({ length: count }, (_, at) => from + at * step)),
)

describe('a set of rows', () => {
  test('comes back from its bytes, and a union is what sets say it is', () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const expected = Float64Array.from(new Set([...a, ...b])).sort()
        const union = RowSet.of(a).union(RowSet.of(b))
        expect(union.size).toBe(expected.length)
        expect(Float64Array.from(decodeRowSet(encodeRowSet(union)))).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  test('bytes of anybody are read or refused, never a crash of another kind', () => {
    const bitmap = encodeRowSet(RowSet.of([1, 5, 70_000, 200_000]))
    fc.assert(
      fc.property(fc.nat(bitmap.length - 1), fc.nat(255), fc.nat(bitmap.length), (at, byte, length) => {
        try {
          decodeRowSet(bitmap.with(at, byte).subarray(0, length))
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_DELETION_VECTOR' })
        }
      }),
    )
  })
})

describe('a layered map', () => {
  test('is a map at every step, and older ones stay as they were', () => {
    const change = fc.record({
      set: fc.array(fc.tuple(fc.nat(200), fc.nat())),
      remove: fc.array(fc.nat(200)),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        let map = LayeredMap.of<number, number>([])
        const model = new Map<number, number>()
        const history: [LayeredMap<number, number>, Map<number, number>][] = []
        for (const { set, remove } of changes) {
          map = map.derive(new Map(set), remove)
          for (const key of remove) model.delete(key)
          for (const [key, value] of set) model.set(key, value)
          history.push([map, new Map(model)])
        }
        for (const [then, expected] of history) {
          expect(new Map(then)).toEqual(expected)
          expect(then.size).toBe(expected.size)
          for (let key = 0; key <= 200; key++) expect(then.get(key)).toBe(expected.get(key))
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('exact JSON', () => {
  test('gives back what was written, whatever stands in it', () => {
    const { tree } = fc.letrec<{ tree: ExactJson }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.string({ unit: 'binary' }),
        fc.bigInt().filter((value) => value < -(2n ** 53n) || value > 2n ** 53n),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree')),
        fc.dictionary(fc.string({ unit: 'binary' }), tie('tree'), { noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        expect(parseExactJson(stringifyExactJson(value))).toEqual(value)
      }),
    )
  })
})

describe('bounds of strings', () => {
  test('enclose the string in the order of UTF-8, and are short', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', '~', '\u007f', '\u{10ffff}', '\uffff'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
      maxLength: 90,
    })
    fc.assert(
      fc.property(
        text.map((drawn) => drawn.toWellFormed()),
        (value) => {
          const min = truncatedMin(value)
          const max = truncatedMax(value)
          expect(min.length).toBeLessThanOrEqual(32)
          expect(min.isWellFormed() && Buffer.compare(Buffer.from(min), Buffer.from(value)) <= 0).toBe(true)
          if (max === undefined) return
          expect(max.length).toBeLessThanOrEqual(66)
          expect(max.isWellFormed() && Buffer.compare(Buffer.from(max), Buffer.from(value)) >= 0).toBe(true)
        },
      ),
    )
  })
})
