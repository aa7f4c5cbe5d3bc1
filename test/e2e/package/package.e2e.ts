import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readMarkdown } from '../../support/markdown.ts'
import { ROOT, readPage } from '../../support/pages-of-the-project.ts'

const directory = mkdtempSync(join(tmpdir(), 'alluvium-packed-'))
const folder = join(directory, 'empty')
const RECORDING = resolve(ROOT, 'fixtures/debezium/envelope-schema')

/** The names that the documents of users import. */
const NAMES = [
  ...['PostgresConnectionManager', 'DebeziumConfigBuilder', 'CDCEventParser', 'DeltaLakeWriter'],
  ...['PostgresCDCPipeline', 'DeltaTable', 'readChanges'],
]

function inFolder(program: string, ...argv: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, argv, { cwd: folder, encoding: 'utf8' })
}

beforeAll(() => {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', directory], { cwd: ROOT, encoding: 'utf8' }),
  )
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  const installed = inFolder('npm', ...install, join(directory, packed.filename))
  expect([installed.status, installed.stderr]).toEqual([0, expect.anything()])
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the package in an empty folder', () => {
  test('starts, and tells what it can do', () => {
    const { status, stdout } = inFolder('npx', '--no-install', 'alluvium', '--help')
    expect(status).toBe(0)
    for (const command of ['ingest', 'table', 'doctor', 'connector']) expect(stdout).toContain(command)
  })

  test('lays recorded topics down, and shows the tables', () => {
    const ingest = ['ingest', '--from', RECORDING, '--until-end', '--json']
    const run = inFolder('npx', '--no-install', 'alluvium', ...ingest)
    expect([run.status, JSON.parse(run.stdout.trim().split('\n').at(-1)!).records]).toEqual([0, 186])
    const head = inFolder('npx', '--no-install', 'alluvium', 'table', 'head', 'inventory.customers', '--json')
    expect(JSON.parse(head.stdout.split('\n')[0]!)).toHaveProperty('email')
  })

  test('holds the status page, which the compiler does not make', () => {
    const page = join(folder, 'node_modules/alluvium/dist/src/ops/page/status.html')
    expect(readFileSync(page, 'utf8')).toContain('<html')
  })

  test('is imported by the names that the documents know', () => {
    const program = `import { ${NAMES.join(', ')} } from 'alluvium'
console.log(JSON.stringify([${NAMES.join(', ')}].map((each) => typeof each)))`
    const { stdout, stderr } = inFolder('node', '--input-type=module', '-e', program)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual(NAMES.map(() => 'function'))
  })

  test('has types that hold for the programs of the guide, without a look away', () => {
    const programs = readMarkdown(readPage('docs/guide/library.md')).blocks.filter(
      ({ language }) => language === 'ts',
    )
    expect(programs.length).toBeGreaterThan(3)
    for (const [i, { text }] of programs.entries()) writeFileSync(join(folder, `guide-${i}.ts`), `${text}\n`)
    writeFileSync(join(folder, 'wrong.ts'), "import { Nothing } from 'alluvium'\nconsole.log(Nothing)\n")
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
      ...{ module: 'nodenext', target: 'es2023', lib: ['es2023', 'esnext.disposable'] },
      ...{ noEmit: true, skipLibCheck: false, types: ['node'] },
      typeRoots: [join(ROOT, 'node_modules/@types')],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const { stdout } = inFolder(process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.')
    const faults = stdout.split('\n').filter((line) => line.includes('error'))
    expect(faults).toEqual([expect.stringMatching(/^wrong\.ts.*'Nothing'/)])
  })
})
