import { rmSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../dq/dq-ports.ts'
import { runChecks } from '../../dq/run-checks.ts'
import { NO_STREAM, parseLsn } from '../../dq/stream-barrier.ts'
import type { CheckResult } from '../../dq/verdict.ts'
import { findConfig } from '../../src/cli/load-config.ts'
import { takersOf } from '../../src/cli/moment-rows-taker.ts'
import { openPorts } from '../../src/engine.ts'
import { FileSource } from '../../src/io/file-source.ts'
import { createLogger } from '../../src/io/logger.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { openLake } from '../../src/open-lake.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { readChanges } from '../../writers/table/change-feed.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { newAccount } from '../support/account.ts'
import { runCommand } from '../support/cli-run.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { ACCOUNTS, MiniStream } from './mini-stream.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
const FIRST = 9_007_199_254_740_993n
const ROWS = 300

describe.skipIf(database.missing !== null)('dq run --repair', () => {
  const stream = new MiniStream(database)

  beforeAll(async () => {
    await stream.createTable()
    const random = new SeededRandom(1)
    const accounts = Array.from({ length: ROWS }, (_, i) =>
      newAccount(FIRST + BigInt(i), 1_795_249_774_180_146, random),
    )
    await stream.fill(accounts)
    await stream.ingest()
  })

  afterAll(async () => {
    await database.close()
    rmSync(stream.directory, { recursive: true, force: true })
  })

  const at = (place: number) => `id = ${FIRST + BigInt(place)}`

  async function repair(): Promise<{ readonly exitCode: number; readonly results: readonly CheckResult[] }> {
    const args = ['dq', 'run', '-c', stream.config, '--checks', 'checksum', '--repair', '--json']
    const { exitCode, stdout, stderr } = await runCommand(args)
    if (stdout === '') throw new TypeError(stderr)
    return { exitCode, results: JSON.parse(stdout).results }
  }

  async function version(): Promise<number> {
    return (await DeltaTable.open(await openLake(stream.lake), 'public/accounts'))!.version
  }

  /** `update id` for what the feed tells of the versions above one, in order. */
  async function feedSince(from: number): Promise<string[]> {
    const store = await openLake(stream.lake)
    const { snapshot } = (await DeltaTable.open(store, 'public/accounts'))!
    const changes: string[] = []
    const range = { from: from + 1, to: snapshot, schema: snapshot.schema, alsoWhenOff: true }
    for await (const { type, cells } of readChanges(store, 'public/accounts', range)) {
      changes.push(`${type} ${(cells[0] as bigint) - FIRST}`)
    }
    return changes.sort()
  }

  test('goes on where more rows differ than one check tells of', async () => {
    const config = (await findConfig(stream.config, () => undefined))!
    const [pipeline] = config.pipelines
    const lake = await openPorts(
      config,
      createLogger('error', () => {}),
      undefined,
    )
    const manager = new PostgresConnectionManager({ connectionString: database.url })
    const topics = new FileSource(`${stream.directory}/topics`, systemClock)
    const through = takersOf(lake, pipeline!, topics, { waitMs: 1000, signal: new AbortController().signal })
    await database.query('update accounts set tier = tier # 1')
    const ports = { ...lake, database: manager, barrier: NO_STREAM, topics: null, pipeline: 'default' }
    const table = { name: ACCOUNTS, source: await manager.getTableSchema(ACCOUNTS), path: 'public/accounts' }
    const limits = { ...DEFAULT_LIMITS, rowsHeldMax: 90 }
    const found: CheckResult[] = []
    for await (const result of runChecks(ports, limits, [table], ['checksum'], through)) found.push(result)
    await manager.close()
    await topics.close()
    expect(found.length).toBeGreaterThan(3)
    expect(found.at(-1)).toMatchObject({ verdict: 'equal', repair: { verified: true } })
    expect(found.slice(1, -1).every(({ repair }) => repair?.verified === false)).toBe(true)
  })

  test('shows through which place of the log a table was last shown to be equal', async () => {
    const { rows } = await database.query('select pg_current_wal_insert_lsn()::text as lsn')
    const { results } = await repair()
    const { lsn } = results.at(-1)!.verifiedThrough!
    expect(parseLsn(lsn)).toBeGreaterThanOrEqual(parseLsn(rows[0].lsn))
    const told = async (...argv: string[]) => {
      const { stdout } = await runCommand([...argv, '-c', stream.config, '--json'])
      return stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).verifiedThrough)
    }
    expect((await told('dq', 'history'))[0]).toMatchObject({ lsn })
    expect(await told('table', 'list')).toEqual([{ lsn, time: expect.stringMatching(/^\d{4}-.*Z$/) }])
    await database.query(`update accounts set tier = tier # 1 where ${at(1)}`)
    const different = await runCommand(['dq', 'run', '-c', stream.config, '--checks', 'checksum', '--json'])
    expect(JSON.parse(different.stdout).results).toMatchObject([
      { verdict: 'different', verifiedThrough: null },
    ])
    expect(await told('table', 'list')).toMatchObject([{ lsn }])
    await database.query(`update accounts set tier = tier # 1 where ${at(1)}`)
  })

  test('waits for a place of the log with wait-for', async () => {
    const wait = ['wait-for', '--lsn', 'now', '-c', stream.config, '--json']
    const { exitCode, stdout } = await runCommand(wait)
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, reached: true })
    const wrong = await runCommand(['wait-for', '--lsn', '77', '-c', stream.config])
    expect(wrong).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('16/B374D848') })
  })

  let before = 0
  beforeEach(async () => {
    before = await version()
  })

  test.each([
    ['one bit', `update accounts set tier = tier # 1 where ${at(7)}`, ['delete 7', 'insert 7']],
    [
      'one missing in the lake',
      `insert into accounts select ${FIRST - 5n}, owner, balance, active, tier, note, opened_on, updated_at from accounts where ${at(3)}`,
      ['insert -5'],
    ],
    ['one extra in the lake', `delete from accounts where ${at(11)}`, ['delete 11']],
    [
      'two rows that changed places',
      `update accounts a set (owner, balance) = (select owner || '!', balance + 1 from accounts b
         where b.id = ${FIRST + 20n} + ${FIRST + 21n} - a.id) where ${at(20)} or ${at(21)}`,
      ['delete 20', 'delete 21', 'insert 20', 'insert 21'],
    ],
    [
      'two equal errors',
      `update accounts set balance = balance + 0.01 where ${at(30)} or ${at(31)}`,
      ['delete 30', 'delete 31', 'insert 30', 'insert 31'],
    ],
  ])('makes the lake what the source is, and tells the feed of nothing else: %s', async (_, plant, feed) => {
    await database.query(plant)
    const { exitCode, results } = await repair()
    expect(results.map(({ verdict }) => verdict)).toEqual(['different', 'equal'])
    expect(results[1]!.repair).toMatchObject({ verified: true, deferred: 0, impossible: 0, notes: [] })
    expect(exitCode).toBe(0)
    expect(await version()).toBe(before + 1)
    expect(await feedSince(before)).toEqual(feed)
    const again = await repair()
    expect(again.results.map(({ verdict, repair }) => [verdict, repair])).toEqual([['equal', null]])
    expect(await version()).toBe(before + 1)
  })
})
