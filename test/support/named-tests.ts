import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './pages-of-the-project.ts'

/** A row of a table that answers for something by naming its tests. */
export interface AnsweredRow {
  readonly id: string
  /** All cells but the first and the last. */
  readonly cells: readonly string[]
  /** The cell that names the tests. */
  readonly tests: string
}

/** Rows of all tables of a page whose last column is `test`. */
export function answeredRows(page: string): readonly AnsweredRow[] {
  const rows: AnsweredRow[] = []
  let isInside = false
  for (const line of readFileSync(join(ROOT, page), 'utf8').split('\n')) {
    const cells = line.startsWith('|') ? line.split('|').map((cell) => cell.trim()) : []
    const last = cells.at(-2)
    if (last === undefined) isInside = false
    else if (last === 'test') isInside = true
    else if (isInside && !/^-+$/.test(last)) {
      rows.push({ id: cells[1]!, cells: cells.slice(2, -2), tests: last })
    }
  }
  return rows
}

/** A file alone, or with the titles of tests in it. */
const REFERENCE = /`(test\/[^`]+)`(?: ("[^"]+"(?:, "[^"]+")*))?(?:; |$)/g

/** What is wrong with a cell that names tests: it names none, or one that is not there. */
export function faultsOfTests({ id, tests }: AnsweredRow): readonly string[] {
  const references = [...tests.matchAll(REFERENCE)]
  const rest = tests.replace(REFERENCE, '')
  if (references.length === 0 || rest !== '') return [`${id}: not understood: ${rest}`]
  return references.flatMap(([, path, titles = '']) => {
    const file = join(ROOT, path!)
    if (!existsSync(file)) return [`${id}: there is no ${path}`]
    const code = readFileSync(file, 'utf8')
    const isTitle = (title: string) => [`'`, `"`, '`'].some((quote) => code.includes(quote + title + quote))
    const named = [...titles.matchAll(/"([^"]+)"/g)].map(([, title]) => title!)
    return named.filter((title) => !isTitle(title)).map((title) => `${id}: ${path} has no test "${title}"`)
  })
}

/** Whether each of its tests is named by its title. */
export function namesTitles({ tests }: AnsweredRow): boolean {
  return [...tests.matchAll(REFERENCE)].every(([, , titles]) => titles !== undefined)
}
