import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CheckResult } from '../../dq/verdict.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { openLake } from '../../src/open-lake.ts'
import { runningProcesses } from '../../src/pipeline/process-sign.ts'
import { readChanges } from '../../writers/table/change-feed.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { newAccount } from '../support/account.ts'
import { BuiltCli, type RunningCli } from '../support/built-cli.ts'
import { runCommand } from '../support/cli-run.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { MiniStream } from './mini-stream.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
const ROWS = 60
const PATH = 'public/accounts'
/** An owner looks for requests every 5 s, and is asked twice. */
const ASKED_MS_MAX = 40_000

describe.skipIf(database.missing !== null)('a repair that is killed', () => {
  const stream = new MiniStream(database)
  const repairing = ['dq', 'run', '-c', stream.config, '--checks', 'checksum', '--repair', '--json']
  let cli: BuiltCli
  let tests = 0
  let before: number
  let feed: readonly string[]

  beforeAll(async () => {
    cli = new BuiltCli()
    await stream.createTable()
    const random = new SeededRandom(5)
    await stream.fill(
      Array.from({ length: ROWS }, (_, i) => newAccount(BigInt(i), 1_795_249_774_180_146, random)),
    )
    await stream.ingest()
  }, 60_000)

  afterAll(async () => {
    cli[Symbol.dispose]()
    await database.close()
    rmSync(stream.directory, { recursive: true, force: true })
  })

  /** Behind the back of the stream one row is gone, one is other than it was, and one has come. */
  beforeEach(async () => {
    const [gone, other, come] = [2 * tests, 2 * tests + 1, ROWS + tests]
    tests++
    await database.query(`insert into accounts select ${come}, owner, balance, active, tier, note, opened_on, updated_at
        from accounts where id = ${gone};
      delete from accounts where id = ${gone};
      update accounts set balance = balance + 1 where id = ${other}`)
    feed = [`delete ${gone}`, `delete ${other}`, `insert ${come}`, `insert ${other}`].sort()
    before = await version()
  })

  async function version(): Promise<number> {
    return (await DeltaTable.open(await openLake(stream.lake), PATH))!.version
  }

  /** The verdicts of a repair that nobody kills. */
  async function repair(): Promise<string[]> {
    const { stdout } = await runCommand(repairing)
    return (JSON.parse(stdout).results as CheckResult[]).map(({ verdict }) => verdict)
  }

  /** One commit has brought the three rows, whoever made it, and each key is there once. */
  async function expectOnce(): Promise<void> {
    const store = await openLake(stream.lake)
    const table = (await DeltaTable.open(store, PATH))!
    expect(table.version).toBe(before + 1)
    const changes: string[] = []
    const range = { from: before + 1, to: table.snapshot, schema: table.schema, alsoWhenOff: true }
    for await (const { type, cells } of readChanges(store, PATH, range)) changes.push(`${type} ${cells[0]}`)
    expect(changes.sort()).toEqual(feed)
    const ids: unknown[] = []
    for await (const cells of table.rows()) ids.push(cells[0])
    expect([ids.length, new Set(ids).size]).toEqual([ROWS, ROWS])
  }

  test.each([
    ['before its commit', 'data.put:written', 0, ['different', 'equal']],
    ['when its commit is there', 'log.put:linked', 1, ['equal']],
    ['between its commit and its answer', 'moment:committed', 1, ['equal']],
  ])('%s is done by the next one, and nothing twice', async (_, step, commits, verdicts) => {
    const killed = await cli.run(repairing, { ALLUVIUM_FAILPOINT: `${step}:1` })
    expect(killed).toMatchObject({ signal: 'SIGKILL', stdout: '' })
    expect(await version()).toBe(before + commits)
    expect(await repair()).toEqual(verdicts)
    await expectOnce()
    const { stdout } = await runCommand(['table', 'resume', 'public.accounts', '-c', stream.config])
    expect(stdout).toContain('no longer paused')
  })

  describe('while a process runs the pipeline', () => {
    let owner: RunningCli

    async function startOwner(environment: Readonly<Record<string, string>> = {}): Promise<void> {
      const state = join(stream.directory, 'state')
      owner = cli.start(['ingest', '-c', stream.config, '--state', state], environment)
      const store = await openLake(stream.lake)
      const isSeen = async () => expect(await runningProcesses(store, systemClock, 'default')).toHaveLength(1)
      await vi.waitFor(isSeen, { timeout: 20_000, interval: 100 })
    }

    afterEach(async () => {
      owner.kill('SIGTERM')
      await owner.exit
    })

    test(
      'with its rows on the way and not asked for, has done nothing',
      async () => {
        await startOwner()
        const killed = await cli.run(repairing, { ALLUVIUM_FAILPOINT: 'request.put:written:1' })
        expect(killed.signal).toBe('SIGKILL')
        expect(await version()).toBe(before)
        expect(await repair()).toEqual(['different', 'equal'])
        await expectOnce()
      },
      ASKED_MS_MAX,
    )

    test(
      'when it has asked, is done without it',
      async () => {
        await startOwner()
        const killed = await cli.run(repairing, { ALLUVIUM_FAILPOINT: 'request.put:linked:2' })
        expect(killed.signal).toBe('SIGKILL')
        await vi.waitFor(async () => expect(await version()).toBe(before + 1), { timeout: 20_000 })
        expect(await repair()).toEqual(['equal'])
        await expectOnce()
      },
      ASKED_MS_MAX,
    )

    test(
      'with that process, between its commit and its answer, leaves nothing to do',
      async () => {
        await startOwner({ ALLUVIUM_FAILPOINT: 'moment:committed:1' })
        const asking = cli.start(repairing)
        expect(await owner.exit).toMatchObject({ signal: 'SIGKILL' })
        asking.kill('SIGKILL')
        expect(await asking.exit).toMatchObject({ signal: 'SIGKILL', stdout: '' })
        expect(await repair()).toEqual(['equal'])
        await expectOnce()
      },
      ASKED_MS_MAX,
    )
  })
})
