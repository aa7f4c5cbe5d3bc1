import { describe, expect, test } from 'vitest'
import { type AnsweredRow, answeredRows, faultsOfTests, namesTitles } from './support/named-tests.ts'

/** Numbers of the faults that must be answered for, as ranges. */
const DEMANDED = [
  [1, 27],
  [29, 33],
  [37, 65],
] as const

/** Here a file alone is not enough: the test has to be named. */
function faultsOf(row: AnsweredRow): readonly string[] {
  return namesTitles(row) ? faultsOfTests(row) : [`${row.id}: a test without its title`]
}

describe('the list of faults', () => {
  const rows = answeredRows('docs/reliability.md')

  test('answers for every fault once', () => {
    const demanded = DEMANDED.flatMap(([from, to]) =>
      Array.from({ length: to - from + 1 }, (_, i) => String(from + i)),
    )
    const answered = rows.map(({ id }) => id)
    expect(new Set(answered).size).toBe(answered.length)
    expect(demanded.filter((id) => !answered.includes(id))).toEqual([])
  })

  test('names a test that is there for each, or says why there is none', () => {
    const isLeftOut = ({ tests }: AnsweredRow) => /^left out: .{20}/.test(tests)
    expect(rows.filter((row) => !isLeftOut(row)).flatMap(faultsOf)).toEqual([])
  })
})

describe('the guarantees', () => {
  const rows = answeredRows('docs/guarantees.md')

  test('are all the promises there are', () => {
    const promised = [...new Set(rows.map(({ id }) => id))]
    expect(promised).toEqual(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8'])
  })

  test('name a test that is there for each line, or say that it is not promised yet', () => {
    const isToCome = ({ tests }: AnsweredRow) => /^not yet: .{20}/.test(tests)
    expect(rows.filter((row) => !isToCome(row)).flatMap(faultsOf)).toEqual([])
  })
})
