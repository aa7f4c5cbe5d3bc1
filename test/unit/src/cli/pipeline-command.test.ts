import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCommand } from '../../../support/cli-run.ts'
import { MemoryTopics } from '../../../support/memory-topics.ts'
import { writeMemoryTopics } from '../../../support/recorded-memory-topics.ts'

let directory: string
let config: string

/** Two pipelines on one lake, each with a table of its own. */
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-pipelines-'))
  config = join(directory, 'alluvium.yaml')
  const lines = [`lake: ${JSON.stringify(join(directory, 'lake'))}`, 'pipelines:']
  for (const name of ['one', 'two']) {
    const from = join(directory, name)
    mkdirSync(from)
    const topics = new MemoryTopics()
    for (let id = 0; id < 3; id++) topics.row('c', { id }, { topic: `shop.${name}.t` })
    writeMemoryTopics(from, topics)
    lines.push(`  ${name}:`, `    source: { files: ${JSON.stringify(from)} }`)
  }
  writeFileSync(config, `${lines.join('\n')}\n`)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function ended(...argv: string[]) {
  const { exitCode, stdout, stderr } = await runCommand([...argv, '-c', config, '--json'])
  const lines = stdout.split('\n').filter((line) => line !== '')
  return { exitCode, stderr, lines: lines.map((line) => JSON.parse(line)) }
}

describe('several pipelines', () => {
  test.each([['ingest'], ['pipeline', 'start']])('all run in one process: %s %s', async (...argv) => {
    const { exitCode, lines } = await ended(...argv, '--until-end')
    expect(exitCode).toBe(0)
    const byName = new Map(lines.map((line) => [line.pipeline, line]))
    expect(byName.get('one')).toMatchObject({ records: 3, applied: 3, tables: [{ name: 'one.t' }] })
    expect(byName.get('two')).toMatchObject({ records: 3, applied: 3, tables: [{ name: 'two.t' }] })
  })

  test('may be run one by one', async () => {
    const { exitCode, lines } = await ended('pipeline', 'start', 'two', '--until-end')
    expect({ exitCode, names: lines.map(({ pipeline }) => pipeline) }).toEqual({
      exitCode: 0,
      names: ['two'],
    })
  })

  test('do not fall with one of them, and end with the worst code', async () => {
    rmSync(join(directory, 'one'), { recursive: true })
    const { exitCode, lines, stderr } = await ended('ingest', '--until-end')
    expect(exitCode).toBe(64)
    expect(stderr).toMatch(/pipeline one ended, the others go on: .*E_NO_RECORDING/)
    expect(lines).toContainEqual(
      expect.objectContaining({
        pipeline: 'one',
        error: expect.objectContaining({ code: 'E_NO_RECORDING' }),
      }),
    )
    expect(lines).toContainEqual(expect.objectContaining({ pipeline: 'two', applied: 3 }))
  })
})

describe('pipeline status', () => {
  test('tells what the lake knows, and that nobody runs', async () => {
    await ended('ingest', '--until-end')
    await runCommand(['table', 'pause', 'one.t', '-c', config])
    const { exitCode, lines } = await ended('pipeline', 'status')
    expect(exitCode).toBe(2)
    const nobody = { processes: 0, tables: 1, partitions: 1, seen: null }
    expect(lines).toEqual([
      { pipeline: 'one', ...nobody, paused: ['one.t'] },
      { pipeline: 'two', ...nobody, paused: [] },
    ])
  })

  test('tells which process runs', async () => {
    const processes = join(directory, 'lake/_alluvium/one/processes')
    mkdirSync(processes, { recursive: true })
    const nowMs = Date.now()
    writeFileSync(join(processes, 'abc.json'), JSON.stringify({ format: 1, startedMs: nowMs, seenMs: nowMs }))
    const { exitCode, lines } = await ended('pipeline', 'status', 'one')
    expect({ exitCode, processes: lines[0].processes }).toEqual({ exitCode: 0, processes: 1 })
  })
})

test('pipeline stop ends a running process when its work is durable', async () => {
  const run = runCommand(['pipeline', 'start', 'one', '-c', config, '--json'])
  let processes = 0
  while (processes === 0) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    processes = (await ended('pipeline', 'status', 'one')).lines[0].processes
  }
  const stop = await ended('pipeline', 'stop', 'one')
  expect(stop).toMatchObject({ exitCode: 0, lines: [{ pipeline: 'one', stopped: 1, running: 0 }] })
  const { exitCode, stdout } = await run
  expect({ exitCode, report: JSON.parse(stdout) }).toMatchObject({ exitCode: 0, report: { applied: 3 } })
  expect(await ended('pipeline', 'stop', 'one')).toMatchObject({
    exitCode: 0,
    lines: [{ stopped: 0, running: 0 }],
  })
}, 20_000)
