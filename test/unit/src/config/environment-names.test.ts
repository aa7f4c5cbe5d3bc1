import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { ENVIRONMENT_NAMES } from '../../../../src/config/environment-reference.ts'
import { parseConfig } from '../../../../src/config/parse-config.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')
const LISTED = ENVIRONMENT_NAMES.flatMap(({ name }) => name.split(', '))

/** Everything in it that a variable can stand above. */
const CONFIG = 'lake: ./lake\npipelines: { p: { source: { kafka: { brokers: ["a:1"], topics: [t] } } } }\n'

test('every variable that stands above the file is in the reference', () => {
  const asked = new Set<string>()
  parseConfig(CONFIG, 'alluvium.yaml', (name) => {
    asked.add(name)
    return name === 'PGHOST' ? 'db' : undefined
  })
  expect(asked.size).toBeGreaterThan(15)
  expect([...asked].filter((name) => !LISTED.includes(name))).toEqual([])
})

test('every variable of the reference is read somewhere', () => {
  const code = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('environment-reference.ts'))
    .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
    .join('\n')
  const isRead = (name: string) =>
    code.includes(`'${name}'`) || code.includes(`'${name.replace(/^PG_?/, '')}'`)
  expect(LISTED.filter((name) => !isRead(name))).toEqual([])
})
