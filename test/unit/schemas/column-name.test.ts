import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deltaColumnName, isReservedColumnName } from '../../../schemas/column-name.ts'

describe('the stored name of a column', () => {
  test.each(['a', 'Ünï', 'a.b', 'a-b', 'a`b', '名', '_', 'a_u', '__proto__'])(
    '%j is left as it is',
    (name) => {
      expect(deltaColumnName(name)).toBe(name)
    },
  )

  test.each([
    ['a b', 'a_u0020b'],
    ['a,b', 'a_u002Cb'],
    ['(x)', '_u0028x_u0029'],
    ['a\tb', 'a_u0009b'],
    ['a=b', 'a_u003Db'],
    ['a_u0020b', 'a_u005Fu0020b'],
  ])('%j is stored as %s', (name, stored) => {
    expect(deltaColumnName(name)).toBe(stored)
  })

  test('two names are never stored as one, and none holds what Delta refuses', () => {
    const names = fc.string({
      unit: fc.constantFrom('a', '_', 'u', '0', '2', '5', 'F', ' ', ',', ';', '\n', '='),
    })
    fc.assert(
      fc.property(names, names, (a, b) => {
        expect(deltaColumnName(a) === deltaColumnName(b)).toBe(a === b)
        expect(deltaColumnName(a)).not.toMatch(/[ ,;{}()\n\t=]/)
      }),
      { numRuns: 2000 },
    )
  })

  test.each(['_change_type', '_Commit_Version', '_commit_timestamp', '_cdc_lsn'])(
    '%s is reserved',
    (name) => {
      expect(isReservedColumnName(name)).toBe(true)
    },
  )
})
