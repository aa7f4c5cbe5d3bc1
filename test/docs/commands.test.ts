import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { callsIn, unknownCalls } from '../support/known-commands.ts'
import { pages, ROOT, readPage } from '../support/pages-of-the-project.ts'

describe('every call of the command line in a page is one that there is', () => {
  test.each(pages())('%s', (path) => {
    expect(unknownCalls(readPage(path))).toEqual([])
  })
})

test('the calls of all pages are looked at', () => {
  const calls = pages().flatMap((path) => callsIn(readPage(path)))
  expect(calls.length).toBeGreaterThan(200)
})

/** `alluvium pipeline stop ${name}. One that …`: the command and its options, without the sentence behind them. */
function calledIn(code: string): readonly string[] {
  const mentions = code
    .replaceAll(/\$\{[^}]*\}/g, 'X')
    .matchAll(/(?<![\w/'-])alluvium ([a-z]+(?: [a-z-]+)?)((?: (?:[A-Z]+|--[a-z-]+))*)/g)
  return [...mentions].map(([, command, rest]) => `${command}${rest}`)
}

test('every cure in a message of the code calls a command and options that there are', () => {
  const OF_GROUPS = /^(?:pipeline|config|table|dlq|dq|checkpoint|setup|connector) [a-z]/
  const files = ['core', 'schemas', 'writers', 'dq', 'src'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  )
  const calls = files
    .flatMap((file) => calledIn(readPage(file)).map((call) => ({ file, call })))
    .filter(({ call }) => OF_GROUPS.test(call))
  expect(calls.length).toBeGreaterThan(40)
  expect(calls.filter(({ call }) => unknownCalls(`\`alluvium ${call}\``).length > 0)).toEqual([])
})

describe('a call is found out', () => {
  test.each([
    ['with another command', '`alluvium setup mysql`'],
    ['with an option that there is not', '`alluvium doctor --fast`'],
    ['in an alternative', '`alluvium table pause|melt`'],
    ['with an argument too many', '`alluvium dlq list public.orders`'],
    ['in a block, behind a variable', 'So:\n\n    LOG_LEVEL=debug alluvium ingest --quick\n'],
    ['in a fence, over two lines', '```bash\nnpx alluvium ingest \\\n  --quick\n```\n'],
    ['as it is built', '```\n$ node dist/src/cli/main.js table melt   # no\n```\n'],
  ])('%s', (_, text) => {
    expect(unknownCalls(text)).toHaveLength(1)
  })

  test('and one that there is, is not', () => {
    const text =
      '`alluvium table pause NAME [-- spark-sql -e "x --y"]`, `alluvium checkpoint reset N --to earliest|mark`'
    expect(callsIn(text)).toHaveLength(2)
    expect(unknownCalls(text)).toEqual([])
  })
})
