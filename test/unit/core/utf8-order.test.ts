import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareUtf8 } from '../../../core/utf8-order.ts'

test('strings compare as their UTF-8 bytes do', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, text, (shared, left, right) => {
      const [a, b] = [shared + left, shared + right]
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('a character beyond U+FFFF stands after U+FFFD', () => {
  expect(compareUtf8('\u{1F600}', '\uFFFD')).toBeGreaterThan(0)
})
