import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../../..')

test('the guide lists every event of the log, and no other', () => {
  const sources = ['writers', 'dq', 'src'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  )
  const named = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name!)
  const EVENT = /(?:\bevent: |#tell\()'([a-z]+\.[a-z-]+)'/g
  const used = new Set(sources.flatMap((source) => named(source, EVENT)))
  const guide = readFileSync(join(ROOT, 'docs/guide/monitoring.md'), 'utf8')
  const table = guide.slice(guide.indexOf('| event |'), guide.indexOf('Secrets are'))
  expect(used.size).toBeGreaterThan(20)
  expect(named(table, /`([a-z]+\.[a-z-]+)`/g).sort()).toEqual([...used].sort())
})
