import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { CheckResult } from '../../../dq/verdict.ts'
import { runCommand } from '../../support/cli-run.ts'
import { SeededRandom } from '../../support/seeded-random.ts'
import { Engine, type LiveEngine } from '../kafka/engine-process.ts'
import { startConnector } from './debezium-connector.ts'
import { SCHEMA_SQL } from './source-tables.ts'
import { Workload } from './workload.ts'

const PREFIX = 'proof'
const RUNS = Number(process.env['PROOFS'] ?? 50)
/** Of one proof, on a machine with much else to do. */
const PROOF_MS_MAX = 7_200
/** Proofs at a time: each waits for the lake most of its time. */
const AT_ONCE = 5
const CONNECTIONS = 4
/** What the workload writes all the time: with keys of all kinds, without one, in partitions, with values out of line. */
const BUSY = ['customers', 'order_lines', 'settings', 'audit', 'documents', 'accounts', 'seats'].map(
  (name) => `shop.${name}`,
)

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: this is run by test/e2e/live/run.sh`)
  return value
}

const state = setting('RIG_STATE')
const postgres = (database: string) =>
  `postgres://postgres:postgres@127.0.0.1:${setting('POSTGRES_PORT')}/${database}`
const config = join(state, 'proof.yaml')
const database = new pg.Pool({ connectionString: postgres(PREFIX), max: 2 })
const workload = new Workload(postgres(PREFIX))
let engine: LiveEngine

beforeAll(async () => {
  const admin = new pg.Client({ connectionString: postgres('postgres') })
  await admin.connect()
  await admin.query(`create database ${PREFIX}`)
  await admin.end()
  await database.query(SCHEMA_SQL)
  const connect = `http://127.0.0.1:${setting('CONNECT_PORT')}`
  const options = {
    connectUrl: connect,
    postgresPort: setting('POSTGRES_PORT'),
    prefix: PREFIX,
    databaseName: PREFIX,
  }
  await startConnector(options, database)
  const brokers = [`127.0.0.1:${setting('KAFKA_PORT')}`]
  const kafka = {
    brokers,
    topics: [`${PREFIX}.shop.*`],
    groupId: PREFIX,
    topicsAge: '2s',
    fetch: { maxWait: '100ms' },
  }
  // Keys of seats change with every update, so no event shows by itself that the old rows are whole.
  const tables = { 'shop.seats': { replicaIdentity: 'full' } }
  const pipeline = { source: { kafka }, batch: { age: '300ms' }, tables }
  const lake = join(state, 'proof-lake')
  const dq = { source: postgres(PREFIX) }
  writeFileSync(config, JSON.stringify({ lake, pipelines: { [PREFIX]: pipeline }, dq }))
  workload.start(CONNECTIONS, new SeededRandom(4))
  engine = new Engine(config, join(state, 'proof-engine')).live()
  await isThere(BUSY)
})

afterAll(async () => {
  await workload.stop()
  await engine.end()
  await database.end()
})

/** Tables come to be with the first record of their topics. */
async function isThere(tables: readonly string[]): Promise<void> {
  const proven = () =>
    prove(tables, 'schema').then(
      (results) => results.length,
      () => 0,
    )
  await vi.waitFor(async () => expect(await proven()).toBe(tables.length), { timeout: 90_000, interval: 500 })
}

/** @throws when a table is not there yet */
async function prove(tables: readonly string[], checks: string): Promise<readonly CheckResult[]> {
  const asked = ['--tables', tables.join(','), '--checks', checks, '--slot', PREFIX]
  const { stdout, stderr } = await runCommand(['dq', 'run', '-c', config, '--json', '--no-record', ...asked])
  const { results } = JSON.parse(stdout) as { readonly results?: readonly CheckResult[] }
  if (results === undefined) throw new Error(stdout + stderr)
  return results
}

describe('a lake that is fed live while it is proven', () => {
  test(
    `is never called different in ${RUNS} proofs under load, and nearly always equal`,
    async () => {
      const results: CheckResult[] = []
      let next = 0
      const prover = async () => {
        while (next < RUNS) {
          const proven = await prove([BUSY[next++ % BUSY.length]!], 'row-count,checksum')
          results.push(...proven)
          for (const result of proven)
            appendFileSync(join(state, 'proofs.jsonl'), `${JSON.stringify(result)}\n`)
        }
      }
      const engineEnded = engine.exit.then(({ stderr }) =>
        Promise.reject(new Error(`the engine ended: ${stderr}`)),
      )
      await Promise.race([
        Promise.all(Array.from({ length: AT_ONCE }, prover)),
        workload.failure,
        engineEnded,
      ])
      const count = (verdict: string) => results.filter((result) => result.verdict === verdict).length
      const rows = results.reduce((sum, { sourceRows }) => sum + (sourceRows ?? 0), 0)
      const deferred = results.reduce((sum, result) => sum + result.deferred, 0)
      const looks = results.reduce((sum, result) => sum + result.looks, 0)
      console.log(
        'proof:',
        JSON.stringify({ equal: count('equal'), deferredVerdicts: count('deferred'), rows, deferred, looks }),
      )
      expect(results.filter(({ verdict }) => verdict === 'different')).toEqual([])
      expect(results).toHaveLength(2 * RUNS)
      expect(count('equal')).toBeGreaterThanOrEqual(0.98 * results.length)
      expect(deferred).toBeLessThanOrEqual(0.001 * rows)
    },
    RUNS * PROOF_MS_MAX,
  )

  test('names the one row that was changed behind the back of the stream', async () => {
    await database.query(
      `insert into shop.ledger select i, 'entry ' || i, nextval('shop.rev') from generate_series(1, 9) i`,
    )
    await isThere(['shop.ledger'])
    expect((await prove(['shop.ledger'], 'checksum'))[0]).toMatchObject({ verdict: 'equal', sourceRows: 9 })
    await lose('ledger', async () => {
      await database.query(`update shop.ledger set entry = '77' where id = 7`)
    })
    expect((await prove(['shop.ledger'], 'checksum'))[0]).toMatchObject({
      verdict: 'different',
      mismatches: [{ kind: 'different', key: { id: '7' }, columns: ['entry'] }],
    })
  })

  test('is repaired where the stream has lost changes, through the engine that runs', async () => {
    await lose('ledger', async () => {
      await database.query(`update shop.ledger set entry = '66' where id = 6`)
      await database.query(`insert into shop.ledger values (10, 'entry 10', nextval('shop.rev'))`)
      await database.query('delete from shop.ledger where id = 3')
    })
    const [before, after] = await repair('shop.ledger')
    expect([before!.verdict, after!.verdict]).toEqual(['different', 'equal'])
    expect(after!.repair).toMatchObject({ inserted: 1, deleted: 1, deferred: 0, verified: true, notes: [] })
    await database.query(`update shop.ledger set entry = 'and on' where id in (6, 10)`)
    const { rows } = await database.query('select pg_current_wal_insert_lsn()::text as lsn')
    const wait = ['wait-for', '-c', config, '--slot', PREFIX, '--timeout', '90s', '--lsn', rows[0].lsn]
    expect(await runCommand([...wait, '--tables', 'shop.ledger'])).toMatchObject({ exitCode: 0 })
    expect((await prove(['shop.ledger'], 'checksum'))[0]).toMatchObject({ verdict: 'equal', sourceRows: 9 })
  }, 300_000)

  test('is repaired under load', async () => {
    await lose('customers', () => new Promise((resolve) => setTimeout(resolve, 2000)))
    const found = await repair('shop.customers')
    for (let more = 0; more < 3 && found.at(-1)!.verdict !== 'equal'; more++)
      found.push(...(await repair('shop.customers')))
    console.log('repair:', JSON.stringify(found.map(({ verdict, repair: done }) => ({ verdict, ...done }))))
    expect(found[0]!.verdict).toBe('different')
    expect(found.at(-1)).toMatchObject({ verdict: 'equal', mismatchCount: 0 })
  }, 600_000)

  /** What happens meanwhile the stream does not tell. */
  async function lose(table: string, work: () => Promise<void>): Promise<void> {
    await database.query(`alter publication ${PREFIX} drop table shop.${table}`)
    await work()
    await database.query(`alter publication ${PREFIX} add table shop.${table}`)
  }

  async function repair(table: string): Promise<CheckResult[]> {
    const asked = ['--tables', table, '--checks', 'checksum', '--slot', PREFIX, '--repair', '--no-record']
    const { stdout, stderr } = await runCommand(['dq', 'run', '-c', config, '--json', ...asked])
    const { results } = JSON.parse(stdout) as { readonly results?: CheckResult[] }
    if (results === undefined) throw new Error(stdout + stderr)
    return results
  }
})
