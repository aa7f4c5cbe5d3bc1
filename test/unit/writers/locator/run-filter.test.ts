import { expect, test } from 'vitest'
import { partOf } from '../../../../writers/locator/entry.ts'
import { RunFilter } from '../../../../writers/locator/run-filter.ts'
import { countedRandom } from '../../../support/test-ports.ts'

const random = countedRandom()
const hash = (): Uint32Array => new Uint32Array(random.bytes(16).buffer)
/** Of the first word only the part is kept. */
const partIn = (words: Uint32Array): number => partOf(words, 0)

test('a filter knows every key that is there, and denies all but a few in a thousand that are not', () => {
  const there = Array.from({ length: 5000 }, hash)
  const filter = RunFilter.for(there.length)
  for (const each of there) filter.add(partIn(each), each, 1)
  expect(there.every((each) => filter.has(partIn(each), each, 1))).toBe(true)
  const wrong = Array.from({ length: 10_000 }, hash).filter((each) =>
    filter.has(partIn(each), each, 1),
  ).length
  expect(wrong).toBeLessThan(150)
  expect(filter.words.byteLength).toBeLessThan(5000 * 1.6)
})
