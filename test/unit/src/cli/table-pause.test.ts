import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../../src/io/system-clock.ts'
import { runCommand } from '../../../support/cli-run.ts'
import { MemoryTopics } from '../../../support/memory-topics.ts'
import { writeMemoryTopics } from '../../../support/recorded-memory-topics.ts'
import { withOwner } from '../../../support/table-owner-process.ts'

let directory: string
let lake: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-pause-'))
  lake = join(directory, 'lake')
  const from = join(directory, 'topics')
  mkdirSync(from)
  const topics = new MemoryTopics()
  topics.row('c', { id: 1 })
  writeMemoryTopics(from, topics)
  await runCommand(['ingest', '--from', from, '--until-end', '--lake', lake])
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function requests(): string[] {
  const folder = join(lake, '_alluvium/default/requests')
  return existsSync(folder) ? readdirSync(folder) : []
}

function table(...argv: string[]) {
  return runCommand(['table', argv[0]!, '--lake', lake, ...argv.slice(1)])
}

/** A command that tells what lay in the folder of requests while it ran, and how it ends. */
function witness(code: number): string[] {
  const script = `require('node:fs').writeFileSync(${JSON.stringify(join(directory, 'seen'))}, 'x'); process.exit(${code})`
  return ['--', process.execPath, '-e', script]
}

const hasRun = () => existsSync(join(directory, 'seen'))

describe('table pause', () => {
  test('runs a command while the table is held, ends with its code, and lets the table go on', async () => {
    await withOwner(lake, async (owner) => {
      const result = await table('pause', 'public.t', ...witness(7))
      expect(result.exitCode).toBe(7)
      expect(hasRun()).toBe(true)
      expect(owner.held[0]).toEqual(['public.t'])
      while (owner.held.length < 2) await systemClock.sleep(10)
      expect(owner.held[1]).toEqual([])
    })
    expect(requests()).toEqual([])
  })

  test('lets the table go on also when the command cannot be started', async () => {
    const result = await table('pause', 'public.t', '--', join(directory, 'nothing'))
    expect(result).toMatchObject({ exitCode: 64, stderr: expect.stringMatching(/E_COMMAND/) })
    expect(requests()).toEqual([])
  })

  test('says that nobody writes the table, and runs the command all the same', async () => {
    const result = await table('pause', 'public.t', ...witness(0))
    expect(result).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/no process writes public\.t/),
    })
    expect(hasRun()).toBe(true)
  })

  test('without a command lasts until table resume', async () => {
    const paused = await table('pause', 'public.t', '--for', '2h')
    expect(paused).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/after 2 h/) })
    const [name] = requests()
    const { ask, createdMs, expiresMs } = JSON.parse(
      readFileSync(join(lake, '_alluvium/default/requests', name!), 'utf8'),
    )
    expect({ ask, lifeMs: expiresMs - createdMs }).toEqual({
      ask: { kind: 'pause', table: 'public.t' },
      lifeMs: 7_200_000,
    })
    const resumed = await table('resume', 'public.t', '--json')
    expect(JSON.parse(resumed.stdout)).toMatchObject({ table: 'public.t', outcome: 'unpaused' })
    expect(requests()).toEqual([])
  })

  test('does not run the command when a process does not answer', async () => {
    mkdirSync(join(lake, '_alluvium/default/processes'), { recursive: true })
    const sign = { format: 1, startedMs: Date.now(), seenMs: Date.now() }
    writeFileSync(join(lake, '_alluvium/default/processes/abc.json'), JSON.stringify(sign))
    const result = await table('pause', 'public.t', '--wait', '1ms', ...witness(0))
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/abc.*E_NO_ANSWER/s) })
    expect(hasRun()).toBe(false)
    expect(requests()).toEqual([])
  })

  test('of a table that is not there is refused', async () => {
    expect(await table('pause', 'public.x')).toMatchObject({ exitCode: 64 })
  })
})

describe('table resume', () => {
  test('asks the process that has the table, and tells what it answers', async () => {
    await withOwner(lake, async (owner) => {
      const done = await table('resume', 'public.t')
      expect(done).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/takes what it missed/) })
      expect(owner.asked).toEqual([{ kind: 'resume', table: 'public.t', acceptGap: false }])
      owner.answer = { outcome: 'refused', message: 'records 1 to 2 are gone' }
      const refused = await table('resume', 'public.t')
      expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/records 1 to 2 are gone/) })
      owner.answer = { outcome: 'not-mine', message: '' }
      expect(await table('resume', 'public.t')).toMatchObject({ exitCode: 1 })
    })
    expect(requests()).toEqual([])
  })

  test('leaves an accepted gap for a process that starts later, and nothing else', async () => {
    const left = await table('resume', 'public.t', '--accept-gap')
    expect(left).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/when it starts/) })
    expect(requests()).toHaveLength(1)
    const plain = await table('resume', 'public.t')
    expect(plain).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/no process runs/) })
    expect(requests()).toHaveLength(1)
  })
})
