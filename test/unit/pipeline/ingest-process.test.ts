import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { BuiltCli } from '../../support/built-cli.ts'
import { runCommand } from '../../support/cli-run.ts'
import { MemoryTopics } from '../../support/memory-topics.ts'

const CLOSING_KEYS = [
  ...['records', 'applied', 'superseded', 'stale', 'duplicates', 'ignored', 'tombstones', 'control'],
  ...['parked', 'deadLetters', 'tables'],
]
const TABLE_KEYS = ['name', 'path', 'version', 'rows', 'inserts', 'updates', 'deletes']

let directory: string
let from: string
let lake: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-ingest-'))
  from = join(directory, 'topics')
  lake = join(directory, 'lake')
  mkdirSync(from)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Records as lines of a recorded topic, from `first` on. */
function linesOf(topics: MemoryTopics, first = 0): string {
  const records = [...topics.partitions.values()].flat().filter(({ offset }) => offset >= first)
  const lines = records.map(({ topic, partition, offset, timestampMs, key, value }) => {
    const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
    const place = {
      topic,
      partition,
      offset: Number(offset),
      timestamp: timestampMs,
      timestampType: 'create',
    }
    return JSON.stringify({ ...place, key: text(key), value: text(value), headers: [] })
  })
  return lines.map((line) => `${line}\n`).join('')
}

function record(topics: MemoryTopics): void {
  writeFileSync(join(from, 'shop.public.t.jsonl'), linesOf(topics))
}

function rows(topics: MemoryTopics, first: number, count: number): MemoryTopics {
  for (let id = first; id < first + count; id++) topics.row('c', { id })
  return topics
}

function configFile(rest: string): string {
  const path = join(directory, 'alluvium.yaml')
  const pipeline = `pipelines:\n  p:\n    source: { files: ${JSON.stringify(from)} }\n`
  writeFileSync(path, `lake: ${JSON.stringify(lake)}\n${pipeline}${rest}`)
  return path
}

function ingest(...more: string[]) {
  return runCommand(['ingest', '--from', from, '--lake', lake, '--until-end', ...more])
}

describe('ingest', () => {
  test.each<{
    name: string
    argv: () => string[]
    env?: Record<string, string>
    exitCode: number
    code: string
  }>([
    {
      name: 'a directory that is not there',
      argv: () => ['--from', join(directory, 'nowhere'), '--lake', lake],
      exitCode: 64,
      code: 'E_NO_RECORDING',
    },
    {
      name: 'a directory that is a file',
      argv: () => ['--from', configFile(''), '--lake', lake],
      exitCode: 64,
      code: 'E_NO_RECORDING',
    },
    {
      // A directory without the right to write would not stop root, whom tests may run as.
      name: 'a lake below a file',
      argv: () => ['--from', from, '--lake', join(configFile(''), 'lake')],
      exitCode: 1,
      code: 'E_DISK_FAILED',
    },
    {
      name: 'a key that nobody knows in the configuration',
      argv: () => ['-c', configFile('    freshnes: 1s\n')],
      exitCode: 1,
      code: 'E_CONFIG',
    },
    {
      name: 'a pipeline that nobody knows',
      argv: () => ['q', '-c', configFile('')],
      exitCode: 64,
      code: 'E_PIPELINE',
    },
    {
      name: 'a failpoint that is none',
      argv: () => ['--from', from, '--lake', lake],
      env: { ALLUVIUM_FAILPOINT: 'log.put' },
      exitCode: 64,
      code: 'E_FAILPOINT',
    },
    {
      name: 'a log level that is none',
      argv: () => ['--from', from, '--lake', lake],
      env: { LOG_LEVEL: 'loud' },
      exitCode: 64,
      code: 'E_LOG_LEVEL',
    },
    {
      name: 'a record that is cut off',
      argv: () => {
        appendFileSync(join(from, 'shop.public.t.jsonl'), '{"topic":"shop.pub')
        return ['--from', from, '--lake', lake]
      },
      exitCode: 1,
      code: 'E_RECORDING',
    },
  ])('says in one line what is wrong with $name', async ({ argv, env, exitCode, code }) => {
    record(rows(new MemoryTopics(), 0, 2))
    const args = ['ingest', ...argv(), '--until-end']
    const result = await runCommand(args, env)
    // Behind the count of what was read by then.
    expect(result.stderr).toMatch(new RegExp(`^(?:[\\d,]+ of [^\\n]+\\n)?error: [^\\n]+ \\(${code}\\)\\n$`))
    expect(result).toMatchObject({ exitCode, stdout: '' })
    const asJson = await runCommand([...args, '--json'], env)
    expect(JSON.parse(asJson.stdout)).toMatchObject({ error: { code } })
    expect(asJson.exitCode).toBe(exitCode)
  })

  test('--json closes with the keys that are promised, and no other, when all is well', async () => {
    record(rows(new MemoryTopics(), 0, 3))
    const { exitCode, stdout } = await ingest('--json')
    expect(exitCode).toBe(0)
    const closing = JSON.parse(stdout)
    expect(Object.keys(closing)).toEqual(CLOSING_KEYS)
    expect(closing).toMatchObject({ records: 3, applied: 3 })
    const [table] = closing.tables
    expect(Object.keys(table)).toEqual(TABLE_KEYS)
    expect(table).toEqual({
      ...{ name: 'public.t', path: 'public/t', version: 0 },
      ...{ rows: 3, inserts: 3, updates: 0, deletes: 0 },
    })
  })

  test('--json says besides what was set aside and what stopped', async () => {
    const topics = rows(new MemoryTopics(), 0, 3)
    topics.raw('{')
    record(topics)
    const letters = await ingest('--json')
    expect(letters.exitCode).toBe(2)
    expect(JSON.parse(letters.stdout)).toMatchObject({ deadLetters: 1, deadLetterReasons: { BAD_JSON: 1 } })
    topics.row('c', { id: 9, x: 1, X: 1 })
    record(topics)
    const stopped = await ingest('--json')
    expect(stopped.exitCode).toBe(1)
    const closing = JSON.parse(stopped.stdout)
    expect(closing).toMatchObject({ records: 1, parked: 1, tables: [{ stopped: { code: 'E_COLUMN_NAME' } }] })
    expect(Object.keys(closing.tables[0]).slice(0, 7)).toEqual(TABLE_KEYS)
  })

  test('takes in only what was appended since', async () => {
    const topics = rows(new MemoryTopics(), 0, 3)
    record(topics)
    await ingest()
    rows(topics, 3, 2)
    topics.tombstone(1)
    appendFileSync(join(from, 'shop.public.t.jsonl'), linesOf(topics, 3))
    const second = JSON.parse((await ingest('--json')).stdout)
    expect(second).toMatchObject({ records: 3, applied: 2, tombstones: 1, tables: [{ rows: 5, version: 1 }] })
    const third = JSON.parse((await ingest('--json')).stdout)
    expect(third).toMatchObject({ records: 0, applied: 0 })
    expect(readdirSync(join(lake, 'public/t/_delta_log'))).toHaveLength(2)
  })
})

describe('ingest as a process', () => {
  let cli: BuiltCli

  beforeAll(() => {
    cli = new BuiltCli()
  }, 6000)
  afterAll(() => cli[Symbol.dispose]())

  test('that follows its topics makes what it holds durable at SIGTERM', async () => {
    const topics = rows(new MemoryTopics(), 0, 5)
    record(topics)
    const config = configFile('    batch: { rows: 3, age: 1h }\n')
    const running = cli.start(['ingest', '-c', config, '--json'])
    await until(() => existsSync(join(lake, 'public/t/_delta_log/00000000000000000000.json')))
    rows(topics, 5, 1)
    appendFileSync(join(from, 'shop.public.t.jsonl'), linesOf(topics, 5))
    await after(500)
    expect(readdirSync(join(lake, 'public/t/_delta_log'))).toHaveLength(2)
    running.kill('SIGTERM')
    const { exitCode, stdout, stderr } = await running.exit
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ records: 6, applied: 6, tables: [{ rows: 6 }] })
    const next = await cli.run(['ingest', '-c', config, '--json', '--until-end'])
    expect(JSON.parse(next.stdout)).toMatchObject({ records: 0, applied: 0 })
  })

  test('that is told to end before its end does not exit as if it had come there', async () => {
    record(rows(new MemoryTopics(), 0, 6000))
    const few = configFile('    batch: { rows: 100 }\n')
    const running = cli.start(['ingest', '-c', few, '--json', '--until-end'])
    await until(() => existsSync(join(lake, 'public/t/_delta_log/00000000000000000001.json')))
    running.kill('SIGTERM')
    const { exitCode, stdout } = await running.exit
    expect(exitCode).toBe(143)
    const { records, applied } = JSON.parse(stdout)
    expect(records).toBeLessThan(6000)
    expect(applied).toBe(records)
    const next = await cli.run([
      'ingest',
      '-c',
      configFile('    batch: { rows: 50000 }\n'),
      '--json',
      '--until-end',
    ])
    expect(JSON.parse(next.stdout)).toMatchObject({ tables: [{ rows: 6000 }] })
  })

  test('that is killed at a step goes on from there', async () => {
    record(rows(new MemoryTopics(), 0, 10))
    const argv = ['ingest', '-c', configFile('    batch: { rows: 4 }\n'), '--json', '--until-end']
    const killed = await cli.run(argv, { ALLUVIUM_FAILPOINT: 'locator:before-move:2' })
    expect(killed).toMatchObject({ exitCode: null, signal: 'SIGKILL', stdout: '' })
    const next = await cli.run(argv)
    expect(next.exitCode, next.stderr).toBe(0)
    const closing = JSON.parse(next.stdout)
    expect(closing).toMatchObject({ applied: 2, duplicates: 8, tables: [{ rows: 10, version: 2 }] })
  })

  test('ends with 64 and one line when it is told nonsense', async () => {
    const { exitCode, stdout, stderr } = await cli.run([
      'ingest',
      '--from',
      from,
      '--lake',
      'ftp://x/y',
      '--until-end',
    ])
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' })
    expect(stderr).toMatch(/^error: [^\n]+ \(E_LAKE\)\n$/)
  })
})

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 50) {
    if (waited > 15_000) throw new Error('waited in vain')
    await after(50)
  }
}
