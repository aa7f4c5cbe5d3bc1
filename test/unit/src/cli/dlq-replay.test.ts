import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCommand } from '../../../support/cli-run.ts'
import { temporaryDirectory } from '../../../support/lake-of-recording.ts'
import { MemoryTopics } from '../../../support/memory-topics.ts'
import { writeMemoryTopics } from '../../../support/recorded-memory-topics.ts'
import { withOwner } from '../../../support/table-owner-process.ts'

let directory: string
let lake: string
let config: string

/** Row 1 comes by as a letter; row 2 too, and is deleted later; a third letter is no JSON. */
const topics = new MemoryTopics()
topics.row('c', { id: 9, n: 1 })
topics.row('c', { id: 1, n: 70_000 })
topics.row('c', { id: 2, n: 80_000 })
topics.raw('{"op":')
topics.delete(2)

beforeEach(async () => {
  directory = temporaryDirectory()
  lake = join(directory, 'lake')
  config = join(directory, 'alluvium.yaml')
  mkdirSync(join(directory, 'topics'))
  writeMemoryTopics(join(directory, 'topics'), topics)
  configure('smallint')
  const ingested = await runCommand(['ingest', '-c', config, '--until-end', '--json'])
  expect(ingested.exitCode).toBe(2)
  configure('integer')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function configure(type: string): void {
  const table = `{ columns: { id: bigint, n: ${type} }, deadLetters: { maxShare: 1 } }`
  const source = `{ files: ${join(directory, 'topics')} }`
  writeFileSync(
    config,
    `lake: ${lake}\npipelines:\n  default:\n    source: ${source}\n    tables:\n      public.t: ${table}\n`,
  )
}

const replay = (...argv: readonly string[]) => runCommand(['dlq', 'replay', '-c', config, ...argv])
const open = async () =>
  (await runCommand(['dlq', 'list', '-c', config, '--json'])).stdout.split('\n').length - 1
const rows = async () => (await runCommand(['table', 'head', 'public.t', '-c', config, '--json'])).stdout

describe('alluvium dlq replay', () => {
  test('gives a table what it lacks, but for what was deleted since; the rest stays, and is named', async () => {
    const { exitCode, stdout } = await replay('--json')
    expect({ exitCode, ...JSON.parse(stdout) }).toEqual({
      ...{ exitCode: 2, letters: 3, applied: 1, superseded: 0, stale: 1, duplicates: 0, ignored: 0 },
      ...{ tombstones: 0, control: 0, stay: 1, dryRun: false },
      staying: [
        {
          topic: 'shop.public.t',
          partition: 0,
          offset: 3,
          table: null,
          why: expect.stringMatching(/^BAD_JSON: /),
        },
      ],
    })
    expect(await rows()).toContain('"n":70000')
    expect(await rows()).not.toContain('80000')
    expect(await open()).toBe(1)
  })

  test('marks what it has replayed: once more does nothing', async () => {
    await replay()
    const before = await rows()
    const { exitCode, stdout } = await replay()
    expect({ exitCode, line: stdout.split('\n')[0] }).toEqual({
      exitCode: 2,
      line: '1 dead letters: 1 stays',
    })
    expect(await rows()).toBe(before)
    const all = await runCommand(['dlq', 'list', '-c', config, '--all', '--json'])
    expect(all.stdout.match(/"replayed":\d+/g)).toHaveLength(2)
  })

  test('by coordinates alone, and a dry run changes nothing', async () => {
    const dry = await replay('--topic', 'shop.public.t', '--partition', '0', '--offsets', '0-2', '--dry-run')
    expect(dry).toMatchObject({
      exitCode: 0,
      stdout:
        '2 dead letters: 1 would be applied if the table has nothing newer, 1 older than what is there\n',
    })
    expect(await open()).toBe(3)
    expect(await replay('--offsets', '2')).toMatchObject({
      exitCode: 0,
      stdout: '1 dead letters: 1 older than what is there\n',
    })
    expect(await open()).toBe(2)
  })

  test('holds a table that a process writes, and lets it go on', async () => {
    await withOwner(lake, async (owner) => {
      expect(JSON.parse((await replay('--json')).stdout)).toMatchObject({ applied: 1, stale: 1 })
      expect(owner.held[0]).toEqual(['public.t'])
      while (owner.held.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
      expect(owner.held[1]).toEqual([])
    })
  })

  test('of a topic that has lost what came after a letter leaves it, and says why', async () => {
    const lines = new MemoryTopics()
    for (const [name, records] of topics.partitions) lines.partitions.set(name, records.slice(3))
    writeMemoryTopics(join(directory, 'topics'), lines)
    const { exitCode, stdout } = await replay()
    expect(exitCode).toBe(2)
    expect(stdout).toMatch(/^3 dead letters: 3 stay\n/)
    expect(stdout).toContain('no longer in its topic')
    expect(await rows()).not.toContain('70000')
  })
})
