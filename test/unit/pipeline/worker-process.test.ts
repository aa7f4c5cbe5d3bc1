import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCOUNT_COLUMNS } from '../../support/account.ts'
import { BuiltCli } from '../../support/built-cli.ts'
import { runCommand } from '../../support/cli-run.ts'
import { generateTopic } from '../../support/generate-topic.ts'

const TABLES = ['accounts', 'ledgers', 'parties'] as const

let cli: BuiltCli
let directory: string

beforeAll(() => {
  cli = new BuiltCli()
  directory = mkdtempSync(join(tmpdir(), 'alluvium-workers-'))
  const topics = join(directory, 'topics')
  mkdirSync(topics)
  generateTopic(topics, { seed: 12, records: 1500, partitions: 2, replicaIdentity: 'full', resends: 1 })
  const text = readFileSync(join(topics, 'shop.public.accounts.jsonl'), 'utf8')
  for (const table of TABLES.slice(1)) {
    writeFileSync(join(topics, `shop.public.${table}.jsonl`), text.replaceAll('accounts', table))
  }
  for (const workers of [0, 2]) writeFileSync(configFile(workers), JSON.stringify(configOf(topics, workers)))
}, 60_000)
afterAll(() => {
  cli[Symbol.dispose]()
  rmSync(directory, { recursive: true, force: true })
})

const configFile = (workers: number) => join(directory, `workers-${workers}.yaml`)

function configOf(files: string, workers: number): object {
  const all = { key: ['id'], columns: ACCOUNT_COLUMNS, replicaIdentity: 'full' }
  return {
    lake: join(directory, 'lake'),
    pipelines: { p: { source: { files }, workers, batch: { rows: 300 }, tables: { '*': all } } },
  }
}

function ingest(workers: number, lake: string, environment: Readonly<Record<string, string>> = {}) {
  const argv = ['ingest', '-c', configFile(workers), '--until-end', '--json', '--lake', lake]
  return cli.run([...argv, '--state', `${lake}.state`], environment)
}

/** All rows of all tables, with our own columns, in the order of their text. */
async function rowsOf(lake: string): Promise<readonly (readonly string[])[]> {
  return Promise.all(
    TABLES.map(async (table) => {
      const argv = [
        'table',
        'head',
        `public.${table}`,
        '-n',
        '100000',
        '--all-columns',
        '--json',
        '--lake',
        lake,
      ]
      return (await runCommand(argv)).stdout.trimEnd().split('\n').sort()
    }),
  )
}

describe('a process that writes with two threads', () => {
  let inline: readonly (readonly string[])[]
  beforeAll(async () => {
    const lake = join(directory, 'inline')
    expect(await ingest(0, lake)).toMatchObject({ exitCode: 0 })
    inline = await rowsOf(lake)
    expect(inline.every((rows) => rows.length > 20)).toBe(true)
  }, 60_000)

  test('leaves the lake of one that does not', async () => {
    const lake = join(directory, 'threads')
    const { exitCode, stdout, stderr } = await ingest(2, lake)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({ deadLetters: 0, parked: 0 })
    expect(await rowsOf(lake)).toEqual(inline)
  }, 60_000)

  test('is killed at a step of one of them, goes on where its tables are, and nothing is lost or twice', async () => {
    const lake = join(directory, 'killed')
    for (const step of ['log.put:linked:3', 'data.put:written:2']) {
      expect(await ingest(2, lake, { ALLUVIUM_FAILPOINT: step }), step).toMatchObject({ signal: 'SIGKILL' })
    }
    expect(await ingest(2, lake)).toMatchObject({ exitCode: 0 })
    expect(await rowsOf(lake)).toEqual(inline)
  }, 60_000)

  test('ends when one of them breaks off, says so, and harms nothing', async () => {
    const preload = join(directory, 'break-off.mjs')
    writeFileSync(
      preload,
      `import { isMainThread, threadId } from 'node:worker_threads'
       if (!isMainThread && threadId === 1) setTimeout(() => { throw new TypeError('it broke') }, 1)`,
    )
    const lake = join(directory, 'broken')
    const broken = await ingest(2, lake, { NODE_OPTIONS: `--import=${pathToFileURL(preload)}` })
    expect(broken).toMatchObject({ exitCode: 1, signal: null })
    expect(broken.stdout + broken.stderr).toMatch(/broke off.*it broke.*E_WORKER|E_WORKER.*it broke/)
    expect(await ingest(2, lake)).toMatchObject({ exitCode: 0 })
    expect(await rowsOf(lake)).toEqual(inline)
  }, 60_000)
})
