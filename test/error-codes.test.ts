import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

function codesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map((found) => found[1]!))].sort()
}

test('the guide lists every error code there is, and no other', () => {
  const folders = ['core', 'schemas', 'writers', 'dq', 'src'].filter((folder) =>
    existsSync(join(ROOT, folder)),
  )
  const sources = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  )
  const used = codesIn(sources.join('\n'), /'(E_[A-Z_]+)'/g)
  const listed = codesIn(readFileSync(join(ROOT, 'docs/guide/errors.md'), 'utf8'), /^\| `(E_[A-Z_]+)` \|/gm)
  expect(used.length).toBeGreaterThan(40)
  expect(listed).toEqual(used)
})
