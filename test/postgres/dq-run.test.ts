import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newAccount } from '../support/account.ts'
import { runCommand } from '../support/cli-run.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { ACCOUNTS, MiniStream } from './mini-stream.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()

describe.skipIf(database.missing !== null)('alluvium dq run', () => {
  const stream = new MiniStream(database)
  const run = (...more: string[]) => runCommand(['dq', 'run', '-c', stream.config, ...more])

  beforeAll(async () => {
    await stream.createTable()
    const random = new SeededRandom(3)
    await stream.fill(
      Array.from({ length: 50 }, (_, i) => newAccount(BigInt(i), 1_795_249_774_180_146, random)),
    )
    await stream.ingest()
  })

  afterAll(async () => {
    await database.close()
    rmSync(stream.directory, { recursive: true, force: true })
  })

  test('says of every check that the table is equal, and ends with 0', async () => {
    const { exitCode, stdout, stderr } = await run()
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^equal +public\.accounts schema/m)
    expect(stdout).toMatch(
      /^equal +public\.accounts row-count: 50 rows of the source, 50 of the lake, version \d/m,
    )
    expect(stdout).toMatch(/^equal +public\.accounts checksum/m)
    expect(stdout).toMatch(/^equal +public\.accounts lag: 0\.0 s behind/m)
    expect(stdout).toMatch(/equal: 4 checks of 1 tables\n$/)
  })

  test('names the rows and columns that differ, and ends with 2', async () => {
    await database.query('update accounts set tier = tier + 1 where id = 7')
    const { exitCode, stdout } = await run('--checks', 'checksum', '--tables', ACCOUNTS)
    expect(exitCode).toBe(2)
    expect(stdout).toContain('  different id=7: tier\n')
    const asJson = await run('--checks', 'checksum', '--json', '--digest', 'sha256')
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      verdict: 'different',
      results: [
        { mismatchCount: 1, mismatches: [{ kind: 'different', key: { id: '7' }, columns: ['tier'] }] },
      ],
    })
    await database.query('update accounts set tier = tier - 1 where id = 7')
  })

  test('tells which columns do not fit any more', async () => {
    await database.query('alter table accounts add column email text, alter column tier type bigint')
    const { exitCode, stdout } = await run('--checks', 'schema')
    expect(exitCode).toBe(2)
    expect(stdout).toContain(
      'tier: bigint does not fit into integer; email: the lake has no such column (yet)',
    )
    await database.query('alter table accounts drop column email, alter column tier type integer')
  })

  test('tells how far the table is behind its topics', async () => {
    await stream.commit([newAccount(99n, 1_795_249_774_180_146, new SeededRandom(9))])
    const { exitCode, stdout } = await run('--checks', 'lag', '--max-lag', '1ms')
    expect([exitCode, stdout]).toEqual([2, expect.stringContaining('1 records behind')])
    await stream.ingest()
    expect((await run('--checks', 'lag', '--max-lag', '1ms')).exitCode).toBe(0)
  })

  test('keeps what it found in the lake, for whoever looks later', async () => {
    const { exitCode, stdout } = await runCommand(['dq', 'history', '-c', stream.config, '--json'])
    const past = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(exitCode).toBe(0)
    expect(past.length).toBeGreaterThanOrEqual(8)
    expect(past.map((each) => each.startedMs)).toEqual(
      past
        .map((each) => each.startedMs)
        .toSorted()
        .reverse(),
    )
    expect(past).toContainEqual(
      expect.objectContaining({ table: ACCOUNTS, check: 'checksum', verdict: 'different', mismatches: 1 }),
    )
    const rows = await runCommand(['table', 'head', '_dq/mismatches', '-c', stream.config, '--json'])
    expect(rows.stdout).toContain('"columns":["tier"]')
    const before = past.length
    await run('--checks', 'schema', '--no-record')
    const after = await runCommand(['dq', 'history', '-c', stream.config, '--json'])
    expect(after.stdout.trim().split('\n')).toHaveLength(before)
  })

  test.each([
    [['--tables', 'public.nothing'], 'E_NO_TABLE'],
    [['--checks', 'everything'], 'there is no check everything'],
    [['--looks', '1'], 'nothing is called different after one look'],
  ])('refuses %j', async (more, expected) => {
    const { exitCode, stderr } = await run(...more)
    expect(exitCode).toBe(64)
    expect(stderr.toLowerCase()).toContain(expected.toLowerCase())
  })

  test('says that no source is named', async () => {
    const { exitCode, stderr } = await runCommand(['dq', 'run', '--lake', stream.lake])
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining('POSTGRES_CONNECTION_STRING')])
  })
})
