import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { parseConfig } from '../../../../src/config/parse-config.ts'
import { runCommand } from '../../../support/cli-run.ts'

describe('the command line', () => {
  test.each([
    [['nonsense'], /unknown command 'nonsense'/],
    [['confg'], /Did you mean config\?/],
    [['config', 'check', '--zzz'], /unknown option '--zzz'/],
    [['config', 'check', 'too', 'many'], /too many arguments/],
    [['config'], /Usage: alluvium config/],
    [[], /Usage: alluvium/],
    [
      ['config', 'check', '-c', '/nowhere/alluvium.yaml'],
      /^error: there is no configuration \/nowhere\/alluvium\.yaml.* \(E_NO_CONFIG\)\n$/,
    ],
  ])('bad usage %j is told on stderr and exits 64', async (argv, message) => {
    const result = await runCommand(argv)
    expect(result).toMatchObject({ exitCode: 64, stdout: '', stderr: expect.stringMatching(message) })
  })

  test('with --json an error is also an object on stdout', async () => {
    const unknown = await runCommand(['nonsense', '--json'])
    expect(JSON.parse(unknown.stdout)).toEqual({
      error: { code: 'E_USAGE', message: "unknown command 'nonsense'" },
    })
    const missing = await runCommand(['config', 'print', '-c', '/nowhere', '--json'])
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: 'E_NO_CONFIG' } })
  })

  test('--help and --version exit 0, and every command shows an example', async () => {
    expect(await runCommand(['--version'])).toMatchObject({ exitCode: 0, stdout: '0.0.0-test\n' })
    for (const command of [
      [],
      ['ingest'],
      ['peek'],
      ['config', 'check'],
      ['config', 'print'],
      ['config', 'schema'],
    ]) {
      const help = await runCommand([...command, '--help'])
      expect(help.exitCode).toBe(0)
      expect(help.stdout).toMatch(/Example:\n {2}\$ alluvium \S+/)
    }
  })
})

describe('alluvium config', () => {
  let directory: string
  let file: string
  const config = (rest: string) => `lake: ./lake\npipelines:\n  p:\n    source: { files: topics }\n${rest}`

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alluvium-cli-'))
    file = join(directory, 'alluvium.yaml')
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  test('check says that all is well', async () => {
    await writeFile(file, config(''))
    expect(await runCommand(['config', 'check', '-c', file])).toEqual({
      exitCode: 0,
      stdout: `${file} is in order: lake ./lake, pipeline p\n`,
      stderr: '',
    })
  })

  test('check names file, line, key and the nearest known key, and exits 2', async () => {
    await writeFile(file, config('    freshnes: 1s\n'))
    const message = `${file}:5: pipelines.p: unknown key "freshnes"; did you mean "freshness"?`
    expect(await runCommand(['config', 'check', '-c', file])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: ${message}\n`,
    })
    const json = await runCommand(['config', 'check', '-c', file, '--json'])
    expect(JSON.parse(json.stdout)).toEqual({ ok: false, problem: message, warnings: [] })
    expect((await runCommand(['config', 'print', '-c', file])).exitCode).toBe(1)
  })

  test('print shows what the file comes to, without secrets, in a form that reads the same', async () => {
    const tables =
      '    tables:\n      s.t: { key: [id], deadLetters: { maxShare: 1 } }\n      "*": { deletes: soft }\n'
    await writeFile(file, config(`    batch: { bytes: 1MB }\n${tables}dq: { source: "\${DSN}" }\n`))
    const variables = { DSN: 'postgres://u:canary@db/x', PGSYNC_BATCH_SIZE: '7' }
    const { stdout, exitCode } = await runCommand(['config', 'print', '-c', file], variables)
    expect(exitCode).toBe(0)
    expect(stdout).not.toContain('canary')
    expect(parseYaml(stdout)).toMatchObject({
      pipelines: { p: { batch: { rows: 7, bytes: 1048576, age: '1000ms' } } },
    })
    const again = parseConfig(stdout, 'printed', () => undefined)
    expect(again.pipelines).toEqual(
      parseConfig(config(`    batch: { bytes: 1MB, rows: 7 }\n${tables}`), 'written', () => undefined)
        .pipelines,
    )
    const json = await runCommand(['config', 'print', '-c', file, '--json'], variables)
    expect(JSON.parse(json.stdout)).toEqual(parseYaml(stdout))
  })

  test('schema is JSON', async () => {
    expect(JSON.parse((await runCommand(['config', 'schema'])).stdout)).toMatchObject({ type: 'object' })
  })
})
