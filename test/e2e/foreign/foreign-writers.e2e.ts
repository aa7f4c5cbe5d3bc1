import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Engine, type LiveEngine } from '../kafka/engine-process.ts'
import { S3Server } from '../s3/s3-server.ts'
import { ForeignProcess, foreignCommand } from './foreign-process.ts'
import { SharedTable, type SharedWorld } from './shared-table.ts'

/** Rows that others add: the stream never speaks of them. */
const FOREIGN = 1_000_000
/** The engine looks at its own log entries once more when they are so old. */
const LOOK_MS = 65_000

let directory: string
let config: string
let server: S3Server
let world: SharedWorld
let engine: LiveEngine
let startedAtMs: number
let lazy: SharedTable
let plain: SharedTable
let struck: SharedTable
let restored: SharedTable

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'alluvium-foreign-'))
  server = await S3Server.start()
  const { endpoint, region } = server.settings
  Object.assign(process.env, { AWS_ENDPOINT_URL: endpoint, AWS_ALLOW_HTTP: 'true', AWS_REGION: region })
  const recordings = mkdtempSync(join(directory, 'topics-'))
  const spark = new ForeignProcess('spark_writer.py', 'conditional')
  world = { server, recordings, spark, deltaRs: new ForeignProcess('deltars_writer.py') }
  lazy = new SharedTable(world, 'lazy')
  plain = new SharedTable(world, 'plain')
  struck = new SharedTable(world, 'struck')
  restored = new SharedTable(world, 'restored')
  config = join(directory, 'alluvium.yaml')
  const tables = { 'public.lazy': { merge: 'lazy' }, 'public.plain': { merge: 'at-once' } }
  const pipeline = { source: { files: recordings }, batch: { age: '500ms' }, tables }
  const lake = `s3://${server.bucket}/lake`
  writeFileSync(config, JSON.stringify({ lake, store: server.settings, pipelines: { foreign: pipeline } }))
  startedAtMs = Date.now()
  engine = new Engine(config, join(directory, 'engine')).live()
  for (const table of [lazy, plain, struck, restored]) {
    await vi.waitFor(async () => expect(await table.rows()).toHaveLength(300), { timeout: 40_000 })
  }
  struck.feed.every(1000)
})

afterAll(async () => {
  for (const table of [lazy, plain, struck, restored]) table?.feed.stop()
  await Promise.all([world?.deltaRs.end(), world?.spark.end(), engine?.end()])
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const pairs = (from: number, to: number, value: string) =>
  Array.from({ length: to - from }, (_, i) => [from + i, value])

describe('delta-rs beside the stream', () => {
  test.each([
    ['without', () => plain],
    ['with', () => lazy],
  ])('appends, deletes, merges and compacts a table %s deletion vectors', async (_, theTable) => {
    const shared = theTable()
    const { deltaRs } = world
    const { location: table } = shared
    shared.feed.every(60)
    await deltaRs.ask({ do: 'append', table, rows: pairs(FOREIGN, FOREIGN + 10, 'appended') })
    shared.changed(FOREIGN, FOREIGN + 10, 'appended')
    await deltaRs.ask({ do: 'delete', table, where: 'id < 20' })
    shared.changed(0, 20, null)
    const rows = [...pairs(20, 40, 'merged'), ...pairs(FOREIGN + 10, FOREIGN + 20, 'merged')]
    await deltaRs.ask({ do: 'merge', table, rows })
    shared.changed(20, 40, 'merged')
    shared.changed(FOREIGN + 10, FOREIGN + 20, 'merged')
    await deltaRs.ask({ do: 'optimize', table })
    await shared.expectBoth()
  })
})

/** The command line, as a person gives it. */
async function alluvium(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, ['dist/src/cli/main.js', ...args])
}

/** The stream commits a few times while a statement runs; if it did so all the time, a slow statement would starve. */
async function runBesideStream(sql: string): Promise<void> {
  const racing = (async () => {
    for (let step = 0; step < 4; step++) {
      lazy.feed.step()
      await after(1000)
    }
  })()
  await Promise.all([world.spark.ask({ sql }), racing])
}

describe('Spark beside the stream', () => {
  test('overwrites an entry of ours, as it can when its puts are not conditional', async () => {
    await world.spark.ask({ overwrite: struck.sparkPath, version: struck.newestVersion })
  })

  test('deletes, merges and compacts by conditional puts', async () => {
    await runBesideStream(`DELETE FROM ${lazy.sql} WHERE id BETWEEN 40 AND 59`)
    lazy.changed(40, 60, null)
    const ids = 'SELECT explode(array_union(sequence(60, 79), sequence(2000000, 2000009))) AS id'
    await runBesideStream(
      `MERGE INTO ${lazy.sql} t USING (${ids}) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET value = 'merged'
       WHEN NOT MATCHED THEN INSERT (id, value) VALUES (s.id, 'merged')`,
    )
    lazy.changed(60, 80, 'merged')
    lazy.changed(2_000_000, 2_000_010, 'merged')
    await runBesideStream(`OPTIMIZE ${lazy.sql}`)
    await runBesideStream(`ALTER TABLE ${lazy.sql} ADD COLUMNS (theirs STRING)`)
    await lazy.expectBoth()
  })

  test('restores a table, which stands until somebody says that it may go on from there', async () => {
    const [version, then] = [restored.newestVersion, await restored.rows()]
    restored.feed.step()
    await expect.poll(() => restored.newestVersion, { timeout: 20_000 }).toBeGreaterThan(version)
    await world.spark.ask({ sql: `RESTORE TABLE ${restored.sql} TO VERSION AS OF ${version}` })
    const before = new Map(restored.feed.rows)
    restored.feed.step()
    await after(3000)
    expect(await restored.rows()).toEqual(then)
    await alluvium('table', 'resume', 'public.restored', '-c', config)
    const rows = new Map(then.map((text) => [Number(text.split(' ')[0]), text] as const))
    for (const [id, value] of restored.feed.rows) if (before.get(id) !== value) rows.set(id, `${id} ${value}`)
    await expect.poll(() => restored.rows(), { timeout: 30_000 }).toEqual([...rows.values()].sort())
  })

  test('comes as it is, while the table is paused', async () => {
    lazy.feed.every(60)
    const change = `UPDATE ${lazy.sql} SET value = 'paused' WHERE id BETWEEN 80 AND 99`
    const command = foreignCommand('spark_writer.py', 'plain', change)
    await alluvium('table', 'pause', 'public.lazy', '-c', config, '--', ...command)
    lazy.changed(80, 100, 'paused')
    await lazy.expectBoth()
  })
})

test('a table whose entry was overwritten stands, and names it; its siblings go on', async () => {
  await after(Math.max(0, startedAtMs + LOOK_MS - Date.now()))
  await after(3000)
  await plain.expectBoth()
  const { exitCode, stderr, summary } = await engine.end()
  expect(exitCode, stderr).toBe(1)
  expect(stderr).toMatch(/E_LOG_OVERWRITTEN.*plain Spark/)
  const codes = [...stderr.matchAll(/"code":"(E_[A-Z_]+)"/g)].map(([, code]) => code)
  expect(new Set(codes)).toEqual(new Set(['E_LOG_OVERWRITTEN', 'E_RESTORED']))
  expect(summary).toMatchObject({ deadLetters: 0 })
})
