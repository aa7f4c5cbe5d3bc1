import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { CheckResult } from '../../dq/verdict.ts'
import { systemClock } from '../../src/io/system-clock.ts'
import { openLake } from '../../src/open-lake.ts'
import { runningProcesses } from '../../src/pipeline/process-sign.ts'
import { readChanges } from '../../writers/table/change-feed.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { readTableProperties } from '../../writers/table-properties.ts'
import { newAccount } from '../support/account.ts'
import { BuiltCli } from '../support/built-cli.ts'
import { runCommand } from '../support/cli-run.ts'
import { SeededRandom } from '../support/seeded-random.ts'
import { ACCOUNTS, MiniStream } from './mini-stream.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
const PATH = 'public/accounts'
const ROWS = 60

describe.skipIf(database.missing !== null)('backfill --columns', () => {
  let cli: BuiltCli
  const streams: MiniStream[] = []

  beforeAll(() => {
    cli = new BuiltCli()
  }, 60_000)

  afterAll(async () => {
    cli[Symbol.dispose]()
    await database.close()
    for (const { directory } of streams) rmSync(directory, { recursive: true, force: true })
  })

  /** A lake whose rows have no notes, since the stream began after they were written. */
  async function withoutNotes(): Promise<MiniStream> {
    const stream = new MiniStream(database)
    streams.push(stream)
    await stream.createTable()
    const random = new SeededRandom(9)
    await stream.beginWithUpdates(
      Array.from({ length: ROWS }, (_, i) => newAccount(BigInt(i), 1_795_249_774_180_146, random)),
    )
    await stream.ingest()
    return stream
  }

  async function tableOf({ lake }: MiniStream) {
    const store = await openLake(lake)
    const table = (await DeltaTable.open(store, PATH))!
    return { store, table, properties: readTableProperties(table.snapshot.metadata.configuration)! }
  }

  async function fill({ config }: MiniStream, ...columns: string[]) {
    const args = ['backfill', '-c', config, '--tables', ACCOUNTS, '--columns', columns.join(), '--json']
    const { exitCode, stdout } = await runCommand(args)
    const results = JSON.parse(stdout).results as CheckResult[]
    return { exitCode, verdicts: results.map(({ verdict }) => verdict), results }
  }

  async function check({ config }: MiniStream): Promise<CheckResult> {
    const { stdout } = await runCommand(['dq', 'run', '-c', config, '--checks', 'checksum', '--json'])
    return JSON.parse(stdout).results[0]
  }

  const withNotes = async () => {
    const { rows } = await database.query('select count(note)::int as n from accounts')
    return rows[0].n as number
  }

  test('brings the values that the stream never told, as true changes, and the table is complete', async () => {
    const stream = await withoutNotes()
    const before = await tableOf(stream)
    expect(before.properties.unsent).toEqual(['note'])
    expect(await check(stream)).toMatchObject({ verdict: 'incomplete' })
    const { exitCode, verdicts, results } = await fill(stream, 'note')
    expect([exitCode, verdicts]).toEqual([0, ['different', 'equal', 'equal']])
    expect(results[1]!.repair).toMatchObject({ updated: await withNotes(), inserted: 0, deleted: 0 })
    const { store, table, properties } = await tableOf(stream)
    expect(properties.unsent).toEqual([])
    const changes: string[] = []
    const range = {
      from: before.table.version + 1,
      to: table.snapshot,
      schema: table.schema,
      alsoWhenOff: true,
    }
    for await (const { type } of readChanges(store, PATH, range)) changes.push(type)
    expect(changes.length).toBe(2 * (await withNotes()))
    expect(await check(stream)).toMatchObject({ verdict: 'equal', notes: [] })
  })

  test('does so through the process that runs the pipeline', async () => {
    const stream = await withoutNotes()
    const owner = cli.start(['ingest', '-c', stream.config, '--state', join(stream.directory, 'state')])
    const store = await openLake(stream.lake)
    const isSeen = async () => expect(await runningProcesses(store, systemClock, 'default')).toHaveLength(1)
    await vi.waitFor(isSeen, { timeout: 30_000, interval: 100 })
    const { exitCode, verdicts } = await fill(stream, 'note')
    expect([exitCode, verdicts]).toEqual([0, ['different', 'equal', 'equal']])
    owner.kill('SIGTERM')
    expect(await owner.exit).toMatchObject({ exitCode: 0 })
    const { properties } = await tableOf(stream)
    expect(properties.unsent).toEqual([])
  }, 90_000)

  test('keeps the word of a table that still lacks values of others', async () => {
    const stream = await withoutNotes()
    const { exitCode, verdicts } = await fill(stream, 'owner')
    expect([exitCode, verdicts]).toEqual([2, ['incomplete', 'incomplete']])
    expect((await tableOf(stream)).properties.unsent).toEqual(['note'])
  })

  test('refuses columns that are not there, and several tables', async () => {
    const { config } = await withoutNotes()
    const refused = async (tables: string, columns: string, ...more: string[]) =>
      runCommand(['backfill', '-c', config, '--tables', tables, '--columns', columns, ...more])
    expect(await refused(ACCOUNTS, 'note', '--dry-run')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('--dry-run, --resume and --where are for first loads'),
    })
    expect(await refused(ACCOUNTS, 'nots')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringMatching(/do not both have a column nots.*E_BACKFILL_COLUMN/),
    })
    expect(await refused('public.a,public.b', 'note')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('--columns is about one table'),
    })
  })
})
