import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

/** Numbers of the faults that must be answered for, as ranges. */
const DEMANDED = [
  [1, 27],
  [29, 33],
  [37, 65],
] as const

interface Row {
  readonly id: string
  /** The cell that names the tests. */
  readonly tests: string
}

/** Rows of all tables of a document whose last column is `test`. */
function rowsOf(document: string): Row[] {
  const rows: Row[] = []
  let isInside = false
  for (const line of readFileSync(join(ROOT, document), 'utf8').split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').map((cell) => cell.trim()) : []
    const last = cells.at(-2)
    if (last === undefined) isInside = false
    else if (last === 'test') isInside = true
    else if (isInside && !/^-+$/.test(last)) {
      rows.push({ id: cells[1]!, tests: last })
    }
  }
  return rows
}

const REFERENCE = /`(test\/[^`]+)` ("[^"]+"(?:, "[^"]+")*)(?:; |$)/g

/** What is wrong with a cell that names tests: it names none, or one that is not there. */
function faultsOf({ id, tests }: Row): string[] {
  const references = [...tests.matchAll(REFERENCE)]
  const rest = tests.replace(REFERENCE, '')
  if (references.length === 0 || rest !== '') return [`${id}: not understood: ${rest}`]
  return references.flatMap(([, path, titles]) => {
    const file = join(ROOT, path!)
    if (!existsSync(file)) return [`${id}: there is no ${path}`]
    const code = readFileSync(file, 'utf8')
    const isTitle = (title: string) => code.includes(`'${title}'`) || code.includes(`"${title}"`)
    const named = [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => title!)
    return named.filter((title) => !isTitle(title)).map((title) => `${id}: ${path} has no test "${title}"`)
  })
}

describe('the list of faults', () => {
  const rows = rowsOf('docs/reliability.md')

  test('answers for every fault once', () => {
    const demanded = DEMANDED.flatMap(([from, to]) =>
      Array.from({ length: to - from + 1 }, (_, i) => String(from + i)),
    )
    const answered = rows.map(({ id }) => id)
    expect(new Set(answered).size).toBe(answered.length)
    expect(demanded.filter((id) => !answered.includes(id))).toEqual([])
  })

  test('names a test that is there for each, or says why there is none', () => {
    const isLeftOut = ({ tests }: Row) => /^left out: .{20}/.test(tests)
    expect(rows.filter((row) => !isLeftOut(row)).flatMap(faultsOf)).toEqual([])
  })
})

describe('the guarantees', () => {
  const rows = rowsOf('docs/guarantees.md')

  test('are all the promises there are', () => {
    const promised = [...new Set(rows.map(({ id }) => id))]
    expect(promised).toEqual(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8'])
  })

  test('name a test that is there for each line, or say that it is not promised yet', () => {
    const isToCome = ({ tests }: Row) => /^not yet: .{20}/.test(tests)
    expect(rows.filter((row) => !isToCome(row)).flatMap(faultsOf)).toEqual([])
  })
})
