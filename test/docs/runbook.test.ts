import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../support/cli-run.ts'
import { RECORDING, temporaryDirectory } from '../support/lake-of-recording.ts'
import { ROOT } from '../support/pages-of-the-project.ts'
import { runLine, runnableBlocks } from '../support/run-page.ts'

const directory = temporaryDirectory()
const home = process.cwd()

async function ingest(...options: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runCommand(['ingest', '--until-end', '--json', ...options])
  expect([exitCode, stderr]).toEqual([0, ''])
}

async function rowsIn(lake: string): Promise<readonly string[]> {
  const { stdout } = await runCommand([
    'table',
    'head',
    'inventory.customers',
    '--lake',
    lake,
    '-n',
    '1000',
    '--json',
  ])
  return stdout.trim().split('\n').sort()
}

beforeAll(() => {
  process.chdir(directory)
  symlinkSync(join(ROOT, 'fixtures'), 'fixtures')
})
afterAll(() => {
  process.chdir(home)
  rmSync(directory, { recursive: true, force: true })
})

describe('the procedures of the runbook', () => {
  let truth: readonly string[]

  beforeAll(async () => {
    writeFileSync(
      'alluvium.yaml',
      `lake: ./lake
pipelines:
  postgres-cdc:
    source: { files: fixtures/debezium/envelope-schema }
    batch: { rows: 10 }
    tables: { inventory.customers: { skip: false }, inventory.orders: { skip: false }, "*": { skip: true } }
`,
    )
    await ingest()
    truth = await rowsIn('./lake')
    expect(truth.length).toBeGreaterThan(20)
  })

  const blocks = runnableBlocks('docs/runbook.md')

  test('are found', () => {
    expect(blocks.length).toBeGreaterThan(6)
  })

  test.each(blocks.map((lines) => [lines.join(' · '), lines] as const))('%s', async (_, lines) => {
    for (const line of lines) await runLine(line)
    const rows = await rowsIn('./lake')
    if (lines.some((line) => line.includes('table restore'))) expect(rows).not.toEqual(truth)
    else expect(rows).toEqual(truth)
    const elsewhere = lines.flatMap((line) => /--lake (\S+)/.exec(line)?.[1] ?? [])
    for (const lake of elsewhere) expect(await rowsIn(lake)).toEqual(truth)
  })
})

test('a lake that is copied in the order of the runbook while it is written can be gone on with', async () => {
  mkdirSync('topics')
  const topics = readdirSync(RECORDING).filter((name) => /\.(?:customers|orders|toasted)\.jsonl$/.test(name))
  for (const topic of topics) {
    const lines = readFileSync(join(RECORDING, topic), 'utf8').split('\n')
    writeFileSync(
      join('topics', topic),
      lines
        .slice(0, lines.length / 2)
        .concat('')
        .join('\n'),
    )
  }
  const written = ['--from', 'topics', '--state', 'state']
  await ingest(...written, '--lake', './written')
  const inLake = () =>
    readdirSync('written', { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
  const copy = (isMeant: (path: string) => boolean) => {
    for (const { parentPath, name } of inLake()) {
      const path = join(parentPath, name)
      const to = path.replace('written', 'copied')
      if (!isMeant(path)) continue
      mkdirSync(dirname(to), { recursive: true })
      copyFileSync(path, to)
    }
  }
  copy((path) => path.includes('_alluvium'))
  copy((path) => path.includes('_delta_log') && !path.includes('_alluvium'))
  for (const topic of topics) cpSync(join(RECORDING, topic), join('topics', topic))
  await ingest(...written, '--lake', './written')
  copy((path) => !path.includes('_delta_log') && !path.includes('_alluvium'))

  expect(await rowsIn('./copied')).not.toEqual(await rowsIn('./written'))
  await ingest('--from', 'topics', '--state', 'other-state', '--lake', './copied')
  expect(await rowsIn('./copied')).toEqual(await rowsIn('./written'))
})
