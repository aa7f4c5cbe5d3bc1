import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLake } from '../../src/open-lake.ts'
import { OwnSign } from '../../src/pipeline/process-sign.ts'
import { BuiltCli } from '../support/built-cli.ts'
import { runCommand } from '../support/cli-run.ts'
import { temporaryDirectory } from '../support/lake-of-recording.ts'
import { HandClock } from '../support/test-ports.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()

describe.skipIf(database.missing !== null)('alluvium backfill', () => {
  const directory = temporaryDirectory()
  const lake = join(directory, 'lake')
  const config = join(directory, 'alluvium.json')
  const args = ['backfill', '-c', config, '--without-stream', '--state', join(directory, 'state')]
  const run = (...more: string[]) => runCommand([...args, ...more])
  let built: BuiltCli

  beforeAll(async () => {
    built = new BuiltCli()
    const content = {
      lake,
      pipelines: { default: { source: { files: directory }, tables: { 'public.small': {} } } },
      dq: { source: database.url },
    }
    writeFileSync(config, JSON.stringify(content))
    await database.query(`create table small (id int primary key, v text);
      insert into small select i, 'v' || i from generate_series(1, 500) i; analyze small;
      create table large (id int primary key, pad text);
      insert into large select i, repeat('p', 400) from generate_series(1, 60000) i`)
  })

  afterAll(async () => {
    built[Symbol.dispose]()
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test('tells what it would be, and writes nothing', async () => {
    const { exitCode, stdout } = await run('--dry-run')
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/^public\.small: about 500 rows, 24\.0 KB in 1 chunks, about/),
    ])
    const asJson = JSON.parse((await run('--dry-run', '--json', '--tables', 'public.large')).stdout)
    expect(asJson.tables[0]).toMatchObject({ table: 'public.large', chunks: 4, leftOut: [] })
  })

  test('refuses while the pipeline runs', async () => {
    const clock = new HandClock()
    clock.now = Date.now()
    const sign = new OwnSign(await openLake(lake), clock, 'default', '3f0c9bfe-2f4d-4cf5-9d4b-0d9a4b1b0e6a')
    await sign.showWhenDue()
    const { exitCode, stderr } = await run()
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining('E_BACKFILL_OWNER')])
    await sign.takeAway()
  })

  test('says verified, ends with 0, and records the proof', async () => {
    const { exitCode, stdout } = await run()
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/^verified +public\.small\n +equal +public\.small checksum: 500 rows/),
    ])
    const history = await runCommand(['dq', 'history', '-c', config, '--json'])
    expect(history.stdout).toContain('public.small')
    expect((await run()).stderr).toContain('E_BACKFILL_TABLE')
  })

  test('goes on after a kill', async () => {
    const killed = await built.run([...args, '--tables', 'public.large', '--json'], {
      ALLUVIUM_FAILPOINT: 'backfill:chunk-committed:2',
    })
    expect(killed.signal).toBe('SIGKILL')
    expect((await run('--tables', 'public.large')).stderr).toContain('--resume')
    const { exitCode, stdout } = await run('--tables', 'public.large', '--resume', '--json')
    expect(exitCode).toBe(0)
    const { tables } = JSON.parse(stdout.trim().split('\n').at(-1)!)
    const again = await run('--tables', 'public.small,public.large', '--resume')
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^skipped +public\.small.*\nskipped +public\.large/),
    })
    expect(tables[0]).toMatchObject({ isVerified: true, isResumed: true, proof: { lakeRows: 60000 } })
  })

  test('reads no faster than it is told to', async () => {
    await database.query('create table slow as select * from small; alter table slow add primary key (id)')
    const startMs = performance.now()
    const { exitCode } = await run('--tables', 'public.slow', '--rows-per-second', '500')
    expect(exitCode).toBe(0)
    expect(performance.now() - startMs).toBeGreaterThan(950)
  })
})
