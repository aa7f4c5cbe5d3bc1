import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { configSchema } from '../../../../src/config/config-schema.ts'
import { STARTER } from '../../../../src/config/starter.ts'
import { processEnvironment } from '../../../../src/io/process-environment.ts'
import { runCommand } from '../../../support/cli-run.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'init-'))

describe('alluvium init', () => {
  test('writes a configuration that holds as it stands, with its schema beside it', async () => {
    const directory = join(folder(), 'new')
    const { exitCode, stdout } = await runCommand(['init', directory])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('alluvium config check')
    const config = join(directory, 'alluvium.yaml')
    const check = await runCommand(['config', 'check', '-c', config])
    expect(check).toMatchObject({ exitCode: 0, stderr: '' })
    const [line] = readFileSync(config, 'utf8').split('\n')
    const schema = /\$schema=\.\/(.*)$/.exec(line!)![1]!
    expect(JSON.parse(readFileSync(join(directory, schema), 'utf8')).properties).toHaveProperty('pipelines')
  })

  test('its sample of variables can be used as .env', async () => {
    const directory = folder()
    await runCommand(['init', directory])
    writeFileSync(join(directory, '.env'), readFileSync(join(directory, '.env.example')))
    expect(processEnvironment({}, directory)('POSTGRES_CONNECTION_STRING')).toMatch(/^postgresql:/)
  })

  test('overwrites nothing', async () => {
    const directory = folder()
    writeFileSync(join(directory, 'alluvium.yaml'), 'mine')
    const { exitCode, stderr, stdout } = await runCommand(['init', directory, '--json'])
    expect(exitCode).toBe(64)
    expect(stderr).toMatch(/is there already.*E_EXISTS/)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'E_EXISTS' } })
    expect(readFileSync(join(directory, 'alluvium.yaml'), 'utf8')).toBe('mine')
  })

  test('explains keys that there are', () => {
    const commented = [...STARTER.matchAll(/^\s*# (\w+): /gm)].map((found) => found[1]!)
    expect(commented.length).toBeGreaterThan(1)
    const known = JSON.stringify(Object.keys(configSchema.shape)) + STARTER
    expect(commented.filter((key) => !known.includes(key))).toEqual([])
  })
})
