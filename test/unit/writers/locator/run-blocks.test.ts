import { expect, test } from 'vitest'
import { BLOCK_WORDS, isWhole, seal } from '../../../../writers/locator/run-blocks.ts'

test('a block with any bit changed, or from elsewhere in its file, is not taken for whole', () => {
  const words = Uint32Array.from({ length: BLOCK_WORDS }, (_, i) => Math.imul(i + 1, 0x9e3779b1))
  seal(words, 0, 7)
  expect([isWhole(words, 0, 7), isWhole(words, 0, 8)]).toEqual([true, false])
  for (let word = 0; word < 252; word += 3) {
    for (const bit of [0, 13, 31]) {
      words[word]! ^= 1 << bit
      expect(isWhole(words, 0, 7)).toBe(false)
      words[word]! ^= 1 << bit
    }
  }
})
