import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { processEnvironment } from '../../../../src/io/process-environment.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-env-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('the process stands above .env, and a _FILE is read when nothing names the value itself', () => {
  writeFileSync(join(directory, '.env'), 'A=env-file\nB="from env file"\n')
  writeFileSync(join(directory, 'secret'), 's3cret\n')
  const look = processEnvironment(
    { A: 'process', C_FILE: join(directory, 'secret'), D_FILE: '/nowhere', A_FILE: '/nowhere' },
    directory,
  )
  expect(['A', 'B', 'C', 'D', 'E'].map(look)).toEqual([
    'process',
    'from env file',
    's3cret',
    undefined,
    undefined,
  ])
})

test('works where there is no .env', () => {
  expect(processEnvironment({ A: '1' }, directory)('A')).toBe('1')
})
