import { expect, test } from 'vitest'
import { RunFilter } from '../../../../writers/locator/run-filter.ts'
import { countedRandom } from '../../../support/test-ports.ts'

const random = countedRandom()
const hash = (): Uint32Array => new Uint32Array(random.bytes(12).buffer)

test('a filter knows every key that is there, and denies all but a few in a thousand that are not', () => {
  const there = Array.from({ length: 5000 }, hash)
  const filter = RunFilter.for(there.length)
  for (const each of there) filter.add(each, 0)
  expect(there.every((each) => filter.has(each, 0))).toBe(true)
  const wrong = Array.from({ length: 10_000 }, hash).filter((each) => filter.has(each, 0)).length
  expect(wrong).toBeLessThan(150)
  expect(filter.words.byteLength).toBeLessThan(5000 * 1.6)
})
