import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configJsonSchema } from '../src/config/config-json-schema.ts'
import { cliPage } from './pages/cli-page.ts'
import { configPage } from './pages/config-page.ts'
import { metricsPage } from './pages/metrics-page.ts'

const file = (path: string) => resolve(import.meta.dirname, '..', path)

/** `make pages` writes them anew. */
describe('what is made from the code says what the code says', () => {
  test.each([
    ['docs/guide/configuration.md', configPage],
    ['docs/guide/cli.md', cliPage],
    ['docs/guide/metrics.md', metricsPage],
    ['alluvium.schema.json', () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`],
  ])('%s', async (path, make) => {
    await expect(make()).toMatchFileSnapshot(file(path))
  })
})

describe('the reference', () => {
  test('says of every key what it decides', () => {
    const keys = configPage().split('## Variables')[0]!.split('\n')
    expect(keys.filter((line) => line.startsWith('| `')).length).toBeGreaterThan(80)
    expect(keys.filter((line) => /^\| `.*\| {2}\|$/.test(line))).toEqual([])
  })

  test('shows an example of every command', () => {
    const page = cliPage()
    expect(page.match(/^\$ alluvium /gm)?.length).toBe(page.match(/^## alluvium /gm)?.length)
  })
})
