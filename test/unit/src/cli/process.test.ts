import { execFile } from 'node:child_process'
import { cpSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ingestInto, temporaryDirectory } from '../../../support/lake-of-recording.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')
const directory = temporaryDirectory()
const lake = join(directory, 'lake')

interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

async function run(file: string, argv: readonly string[], cwd = directory): Promise<Ended> {
  try {
    return { exitCode: 0, ...(await promisify(execFile)(file, argv, { cwd })) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { exitCode: code, stdout, stderr }
  }
}

const alluvium = (...argv: readonly string[]) =>
  run(process.execPath, [join(directory, 'src/cli/main.js'), ...argv, '--lake', lake])

/** The program as it is installed, built beside its manifest and its packages. */
beforeAll(async () => {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const built = await run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', directory], ROOT)
  expect(built).toMatchObject({ exitCode: 0, stdout: '' })
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  expect(await ingestInto(lake)).toBe(0)
}, 60_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the program ends', () => {
  test.each<[number, readonly string[]]>([
    [0, ['table', 'head', 'inventory.customers', '--version', '0']],
    [64, ['dlq', 'show', 'topic', '0', '1']],
  ])('with %d after %j', async (exitCode, argv) => {
    const ended = await alluvium(...argv)
    expect(ended.exitCode).toBe(exitCode)
    expect(ended.stderr === '').toBe(exitCode === 0)
  })

  test('without an error when nobody reads on', async () => {
    const call = `'${process.execPath}' src/cli/main.js table changes inventory.customers --from 0 --json --lake lake`
    const ended = await run('/bin/sh', ['-c', `{ ${call}; echo "exit $?" >&2; } | head -n 1`])
    expect(ended.stdout.split('\n')).toHaveLength(2)
    expect(ended.stderr).toBe('exit 0\n')
  })
})
