import { expect, test } from 'vitest'
import { failpoint } from '../../../../src/io/failpoint.ts'

test('kills at the n-th time the step is reached, and only then', () => {
  let kills = 0
  const reached = failpoint('log.put:linked:3', () => kills++)
  const seen: number[] = []
  for (const step of ['log.put:linked', 'other', 'log.put:linked', 'log.put:linked', 'log.put:linked']) {
    reached(step)
    seen.push(kills)
  }
  expect(seen).toEqual([0, 0, 0, 1, 1])
})

test('does nothing when it is not set', () => {
  expect(() => failpoint(undefined)('log.put:linked')).not.toThrow()
})

test.each(['log.put', 'log.put:0', 'log.put:x'])('refuses %j', (setting) => {
  expect(() => failpoint(setting)).toThrow(expect.objectContaining({ code: 'E_FAILPOINT', remedy: 'usage' }))
})
