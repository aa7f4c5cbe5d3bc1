import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Position } from '../../../../schemas/position.ts'
import { PositionCodes } from '../../../../writers/locator/position-codes.ts'

const edge = fc.constantFrom(0n, 1n, 2n ** 18n, 2n ** 26n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n)
const lsn = fc.oneof(edge, fc.bigInt(0n, 2n ** 63n - 1n), fc.bigInt(0n, 2n ** 44n))
const position: fc.Arbitrary<Position | null> = fc.option(fc.record({ epoch: fc.nat(3), seq: lsn, lsn }))

function decoded(codes: PositionCodes, position: Position | null, reader = codes): Position | null {
  const words = new Uint32Array(2)
  codes.encode(position, words, 0)
  return reader.decode(words, 0)
}

test('a position comes back as it was, whatever positions came before', () => {
  fc.assert(
    fc.property(fc.array(position), (positions) => {
      const codes = new PositionCodes()
      for (const each of positions) expect(decoded(codes, each)).toEqual(each)
    }),
  )
})

test('a later process reads the codes by their anchors, and adds its own', () => {
  fc.assert(
    fc.property(fc.array(position), position, (positions, next) => {
      const before = new PositionCodes()
      const words = new Uint32Array(2 * positions.length)
      positions.forEach((each, i) => {
        before.encode(each, words, 2 * i)
      })
      const after = new PositionCodes(before.anchors)
      expect(decoded(after, next)).toEqual(next)
      expect(positions.map((_, i) => after.decode(words, 2 * i))).toEqual(positions)
    }),
  )
})

test('a gigabyte of WAL takes a few dozen anchors', () => {
  const codes = new PositionCodes()
  const start = 2n ** 40n
  for (let at = 0n; at < 2n ** 30n; at += 99_991n)
    decoded(codes, { epoch: 0, seq: start + at, lsn: start + at + (at % 90_000n) })
  expect(codes.anchors.length).toBeLessThan(40)
})
