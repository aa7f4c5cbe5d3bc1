import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { METRICS } from '../../src/ops/metric-list.ts'
import { readMarkdown } from '../support/markdown.ts'
import { answeredRows, faultsOfTests } from '../support/named-tests.ts'
import { ROOT, readPage } from '../support/pages-of-the-project.ts'

/** Numbers of the rows that are about the engine or its command line, as ranges. */
const DEMANDED = [
  ...[
    [1, 66],
    [68, 85],
    [88, 88],
    [90, 91],
    [93, 94],
    [98, 102],
    [105, 107],
    [109, 109],
    [111, 123],
  ],
  ...[
    [125, 126],
    [128, 134],
    [136, 184],
    [186, 186],
    [188, 190],
    [192, 192],
    [194, 199],
    [201, 226],
  ],
  ...[
    [229, 237],
    [240, 248],
    [250, 262],
    [264, 270],
    [272, 276],
    [278, 282],
    [285, 300],
    [302, 306],
  ],
  ...[
    [308, 309],
    [311, 311],
  ],
].map(([first, last]) => [first!, last!] as const)

function numbers([first, last]: readonly [number, number]): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

const rows = answeredRows('docs/requirements.md')
const isToCome = ({ tests }: { readonly tests: string }) => /^later: .{20}/.test(tests)

describe('every requirement', () => {
  test('has one row', () => {
    const answered = rows.flatMap(({ id }) => {
      const [first, last = first] = id.split('–').map(Number)
      return numbers([first!, last!])
    })
    expect(answered).toEqual(DEMANDED.flatMap(numbers))
  })

  test('names a test that is there, or says why it is to come later', () => {
    expect(rows.filter((row) => !isToCome(row)).flatMap(faultsOfTests)).toEqual([])
  })

  test('says where it is done, when it is', () => {
    expect(rows.filter((row) => !isToCome(row) && row.cells[1] === '').map(({ id }) => id)).toEqual([])
  })
})

describe('what a row names', () => {
  const sources = ['core', 'schemas', 'writers', 'dq', 'src'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  )
  const words = new Set(sources.flatMap((source) => source.match(/[A-Za-z_]\w*/g) ?? []))
  const routes = readPage('src/ops/http-routes.ts')
  const errors = readPage('docs/guide/errors.md')
  const configuration = readPage('docs/guide/configuration.md')
  const { scripts } = JSON.parse(readPage('package.json'))

  const node = new Registry()
  collectDefaultMetrics({ register: node })
  const ofNode = (name: string) => node.getSingleMetric(name) !== undefined

  /** Calls of the command line are looked at in `commands.test.ts`. */
  function isThere(name: string): boolean {
    if (name.startsWith('alluvium ')) return true
    if (name.startsWith('npm ')) return scripts[name.split(' ').at(-1)!] !== undefined
    if (name.startsWith('/')) return routes.includes(`'${name}'`)
    if (/^E_[A-Z_]+$/.test(name)) return errors.includes(`| \`${name}\` |`)
    if (/^(?:postgres_)?cdc_|^nodejs_/.test(name)) return Object.hasOwn(METRICS, name) || ofNode(name)
    if (/^[A-Z][A-Z_]{3,}$/.test(name)) return configuration.includes(`\`${name}\``)
    if (/^[\w-]+\/[\w./-]*$/.test(name) && existsSync(join(ROOT, name.split('/')[0]!))) {
      return existsSync(join(ROOT, name))
    }
    return (name.match(/[A-Za-z_]\w*/g) ?? []).every((word) => words.has(word))
  }

  const named = rows.map(({ id, cells }) => ({ id, names: readMarkdown(cells.join(' ')).inlineCode }))

  test('is there: files, metrics, variables, error codes, paths of HTTP, names of the code', () => {
    const astray = named.flatMap(({ id, names }) =>
      names.filter((name) => !isThere(name)).map((name) => `${id}: ${name}`),
    )
    expect(astray).toEqual([])
    expect(named.flatMap(({ names }) => names).length).toBeGreaterThan(rows.length)
  })

  test.each([
    'src/nothing.ts',
    'cdc_nothing_total',
    'NOTHING_AT_ALL',
    'E_NOTHING',
    '/nothing',
    'npm run nothing',
    'tables.nothingAtAll',
  ])('is found out when it is not: %s', (name) => {
    expect(isThere(name)).toBe(false)
  })
})
