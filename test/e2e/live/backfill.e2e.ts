import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CheckResult } from '../../../dq/verdict.ts'
import type { BackfillOutcome } from '../../../src/backfill/backfill-table.ts'
import { DeltaTable, openLake } from '../../../src/index.ts'
import { runCommand } from '../../support/cli-run.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { Engine, type LiveEngine } from '../kafka/engine-process.ts'
import { S3Server } from '../s3/s3-server.ts'
import { backfillWithDeaths } from './backfill-deaths.ts'
import { startConnector } from './debezium-connector.ts'
import { fillOrders, ORDERS_SQL, SteadyWriter } from './steady-writer.ts'

const PREFIX = 'backfill'
const TABLE = 'shop.orders'
/** Of the lake on disk; `BACKFILL_KILLS=20 bash test/e2e/live/run.sh backfill` is the long run. */
const KILLS = Number(process.env['BACKFILL_KILLS'] ?? 5)
const KILLS_ON_S3 = 3
/** A table is cut into four chunks for each: there has to be one left for every kill. */
const WORKERS = Math.max(2, Math.ceil(KILLS / 4))
/** A kill leaves a chunk in the table at most, or two; each is of some 11,000 rows. */
const SIZE = 80_000 + 8_000 * KILLS
const CHANGES_A_SECOND = 2_000
const CONNECTIONS = 2
const MINUTES = 60_000
const random = new SeededRandom(20)

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: this is run by test/e2e/live/run.sh`)
  return value
}

const state = setting('RIG_STATE')
const postgres = (database: string) =>
  `postgres://postgres:postgres@127.0.0.1:${setting('POSTGRES_PORT')}/${database}`
const connect = `http://127.0.0.1:${setting('CONNECT_PORT')}`
const database = new pg.Pool({ connectionString: postgres(PREFIX), max: 2 })
let engine: LiveEngine | null = null
let s3: S3Server
let writer: SteadyWriter

beforeAll(async () => {
  const admin = new pg.Client({ connectionString: postgres('postgres') })
  await admin.connect()
  await admin.query(`create database ${PREFIX}`)
  await admin.end()
  await database.query(ORDERS_SQL)
  await database.query(fillOrders(SIZE))
  const options = { prefix: PREFIX, databaseName: PREFIX, snapshotMode: 'no_data' as const }
  await startConnector({ ...options, connectUrl: connect, postgresPort: setting('POSTGRES_PORT') }, database)
  s3 = await S3Server.start()
  writer = new SteadyWriter(postgres(PREFIX), SIZE, CHANGES_A_SECOND, CONNECTIONS, random)
})

afterAll(async () => {
  await writer.stop()
  await engine?.end()
  await fetch(`${connect}/connectors/${PREFIX}`, { method: 'DELETE' })
  await database.end()
  await s3.stop()
})

type Place = 'disk' | 'S3'

/** A lake with a pipeline of its own. */
class Lake {
  readonly config: string
  /** Where its objects are files of this machine. */
  readonly #directory: string
  readonly #name: string

  constructor(place: Place) {
    this.#name = `backfill-${place}`
    this.config = join(state, `${this.#name}.yaml`)
    const isLocal = place === 'disk'
    this.#directory = join(isLocal ? state : s3.files, this.#name)
    const lake = isLocal ? this.#directory : `s3://${s3.bucket}/${this.#name}`
    const brokers = [`127.0.0.1:${setting('KAFKA_PORT')}`]
    const source = { brokers, topics: [`${PREFIX}.shop.*`], groupId: this.#name, fetch: { maxWait: '100ms' } }
    const pipeline = { source: { kafka: source }, batch: { age: '500ms' }, tables: { [TABLE]: {} } }
    const dq = { source: postgres(PREFIX) }
    const store = isLocal ? {} : s3.settings
    writeFileSync(this.config, JSON.stringify({ lake, store, pipelines: { [PREFIX]: pipeline }, dq }))
  }

  /** Takes what the stream tells, until the lake is proven. */
  async proveWithEngine(): Promise<CheckResult> {
    engine = new Engine(this.config, join(state, `${this.#name}-engine`)).live()
    const proof = await this.#prove()
    expect(await engine.end()).toMatchObject({ exitCode: 0 })
    return proof
  }

  async #prove(): Promise<CheckResult> {
    const asked = ['--tables', TABLE, '--checks', 'checksum', '--slot', PREFIX, '--no-record', '--wait', '5m']
    const { stdout, stderr } = await runCommand(['dq', 'run', '-c', this.config, '--json', ...asked])
    const { results } = JSON.parse(stdout || '{}') as { readonly results?: readonly CheckResult[] }
    if (results === undefined) throw new Error(stdout + stderr)
    return results[0]!
  }

  async table(): Promise<DeltaTable> {
    return (await DeltaTable.open(await openLake(this.#directory), 'shop/orders'))!
  }
}

/** Keys that the feed tells to have come when they were there, or to have gone when they were not. */
async function impossibleChanges(
  table: DeltaTable,
): Promise<{ readonly changes: number; readonly found: string[] }> {
  const there = new Set<unknown>()
  const found: string[] = []
  let changes = 0
  let version = -1
  let came: unknown[] = []
  const settle = () => {
    for (const key of came) {
      if (there.has(key)) found.push(`version ${version}: ${key} came twice`)
      there.add(key)
    }
    came = []
  }
  for await (const change of table.changes({ from: 0 })) {
    changes++
    // Of one version all that goes, goes before anything comes.
    if (change.version !== version) settle()
    version = change.version
    const key = change.cells[0]
    if (change.type === 'insert' || change.type === 'update_postimage') came.push(key)
    else if (!there.delete(key)) found.push(`version ${version}: ${key} went, and was not there`)
  }
  settle()
  return { changes, found }
}

describe('a table that is laid down while it is written to', () => {
  test.each([
    { place: 'S3' as const, kills: KILLS_ON_S3, put: 'created' as const },
    { place: 'disk' as const, kills: KILLS, put: 'linked' as const },
  ])(
    'is whole on $place after $kills kills at named steps',
    async ({ place, kills, put }) => {
      const startMs = performance.now()
      const where = ['-c', new Lake(place).config, '--state', join(state, 'backfill-state')]
      const args = [...where, '--json', '--workers', String(WORKERS)]
      const done = await Promise.race([backfillWithDeaths(args, kills, put), writer.failure])
      const seconds = Math.round((performance.now() - startMs) / 1000)
      const rate = Math.round(writer.rate)
      console.log(`backfill on ${place}:`, JSON.stringify({ seconds, rate, kills: done.kills }))
      const [outcome] = JSON.parse(done.last.stdout.trim().split('\n').at(-1)!).tables as [BackfillOutcome]
      expect(outcome).toMatchObject({ table: TABLE, state: 'done', isResumed: true })
      // Rows that were deleted since the first run are there until the stream tells.
      expect(outcome.proof!.mismatches.filter(({ kind }) => kind !== 'extra')).toEqual([])
    },
    (1 + Math.max(KILLS, KILLS_ON_S3)) * MINUTES,
  )

  test(
    'is equal to its source when the stream has come, while both go on',
    async () => {
      const proof = await Promise.race([new Lake('disk').proveWithEngine(), writer.failure])
      const { verdict, sourceRows, deferred, looks, durationMs } = proof
      const told = { verdict, sourceRows, deferred, looks, durationMs, rate: Math.round(writer.rate) }
      console.log('proof:', JSON.stringify(told))
      expect(proof).toMatchObject({ verdict: 'equal', mismatchCount: 0 })
    },
    10 * MINUTES,
  )
})

describe('when nobody writes any more', () => {
  beforeAll(() => writer.stop())

  test.each(['disk', 'S3'] as const)(
    'nothing is missing, and nothing twice on %s, in the table and in its feed',
    async (place) => {
      const lake = new Lake(place)
      const { rows } = await database.query('select count(*)::int as n from shop.orders')
      const count = rows[0].n as number
      expect(await lake.proveWithEngine()).toMatchObject({
        verdict: 'equal',
        sourceRows: count,
        lakeRows: count,
      })
      const table = await lake.table()
      const keys = new Set<unknown>()
      for await (const cells of table.rows()) keys.add(cells[0])
      expect(keys.size).toBe(count)
      const { changes, found } = await impossibleChanges(table)
      console.log(`feed on ${place}:`, JSON.stringify({ rows: count, changes, versions: table.version + 1 }))
      expect(found).toEqual([])
    },
    10 * MINUTES,
  )
})
