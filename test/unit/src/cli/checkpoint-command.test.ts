import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommand } from '../../../support/cli-run.ts'
import { MemoryTopics } from '../../../support/memory-topics.ts'
import { writeMemoryTopics } from '../../../support/recorded-memory-topics.ts'

let directory: string
let lake: string
let from: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-checkpoint-'))
  lake = join(directory, 'lake')
  from = join(directory, 'topics')
  mkdirSync(from)
  const topics = new MemoryTopics()
  for (let id = 0; id < 4; id++) topics.row('c', { id })
  topics.heartbeat({ topic: 'heartbeats' })
  writeMemoryTopics(from, topics)
  await runCommand(['ingest', '--from', from, '--until-end', '--lake', lake])
  for (let id = 4; id < 6; id++) topics.row('c', { id })
  writeMemoryTopics(from, topics)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function checkpoint(...argv: string[]) {
  return runCommand(['checkpoint', argv[0]!, '--lake', lake, '--from', from, ...argv.slice(1)])
}

async function listed(): Promise<unknown[]> {
  const { stdout } = await checkpoint('list', '--json')
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const TABLE = {
  pipeline: 'default',
  table: 'public.t',
  topic: 'shop.public.t',
  partition: 0,
  group: null,
  leftMs: null,
}

test('list tells the offset, the mark and the lag of each table and partition', async () => {
  expect(await listed()).toEqual([
    { ...TABLE, table: null, topic: 'heartbeats', next: null, mark: 1, lag: 0 },
    { ...TABLE, next: 4, mark: 4, lag: 2 },
  ])
  expect((await checkpoint('list')).stdout).toMatch(/default +public\.t +shop\.public\.t +0 +4 +4 +2/)
})

test('list tells what the lake knows when the source cannot be asked', async () => {
  rmSync(from, { recursive: true })
  const { stdout, stderr, exitCode } = await checkpoint('list', '--json')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringMatching(/no lag is told/) })
  expect(stdout).toMatch(/"next":4,"mark":4,"group":null,"lag":null,"leftMs":null/)
})

test('reset tells what is read again, and a dry run does not do it', async () => {
  const dry = await checkpoint('reset', 'public.t', '--to', 'earliest', '--dry-run')
  expect(dry).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/would be moved from 4 to 0: up to 4 records are read again/),
  })
  expect(await listed()).toContainEqual({ ...TABLE, next: 4, mark: 4, lag: 2 })
  expect(await checkpoint('reset', 'public.t', '--to', 'earliest')).toMatchObject({ exitCode: 0 })
  expect(await listed()).toContainEqual(expect.objectContaining({ ...TABLE, next: 0, mark: 4 }))
  const run = await runCommand(['ingest', '--from', from, '--until-end', '--lake', lake, '--json'])
  expect(JSON.parse(run.stdout)).toMatchObject({ records: 6, applied: 2, parked: 0 })
})

test('reset shouts about records that are skipped', async () => {
  const { stdout } = await checkpoint('reset', 'default', '--to', 'latest', '--topic', 'shop.public.t')
  expect(stdout).toMatch(/public\.t: .* from 4 to 6: UP TO 2 RECORDS ARE SKIPPED/)
  expect(stdout).toMatch(/the mark of all tables: .* from 4 to 6/)
  expect(await listed()).toContainEqual({ ...TABLE, next: 6, mark: 6, lag: 0 })
})

test('reset is refused while a process runs the pipeline', async () => {
  const processes = join(lake, '_alluvium/default/processes')
  mkdirSync(processes, { recursive: true })
  const nowMs = Date.now()
  writeFileSync(join(processes, 'abc.json'), JSON.stringify({ format: 1, startedMs: nowMs, seenMs: nowMs }))
  const refused = await checkpoint('reset', 'public.t', '--to', 'earliest')
  expect(refused).toMatchObject({
    exitCode: 64,
    stderr: expect.stringMatching(/pipeline stop default.*E_PIPELINE_RUNS/s),
  })
})

test.each([
  {
    name: 'a place that is none',
    argv: ['reset', 'public.t', '--to', 'yesterday'],
    code: /earliest, mark, latest/,
  },
  { name: 'an offset that is not there', argv: ['reset', 'public.t', '--to', '99'], code: /E_RESET/ },
  {
    name: 'a topic that does not feed it',
    argv: ['reset', 'public.t', '--to', 'earliest', '--topic', 'x'],
    code: /E_RESET/,
  },
  { name: 'a name that nobody knows', argv: ['reset', 'public.x', '--to', 'earliest'], code: /E_NO_TABLE/ },
])('reset refuses $name', async ({ argv, code }) => {
  expect(await checkpoint(...argv)).toMatchObject({ exitCode: 64, stderr: expect.stringMatching(code) })
  expect(existsSync(lake)).toBe(true)
})
