import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliResult, runCommand } from '../../support/cli-run.ts'

const MINUTE = 60_000

function setting(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: this is run by test/e2e/connector/run.sh`)
  return value
}

const connectUrl = `http://127.0.0.1:${setting('CONNECT_PORT')}`
const databaseUrl = `postgres://postgres:canary@127.0.0.1:${setting('POSTGRES_PORT')}/postgres`
const database = new pg.Pool({ connectionString: databaseUrl, max: 2 })
const directory = mkdtempSync(join(tmpdir(), 'connector-'))
const config = join(directory, 'alluvium.yaml')
const outputs: string[] = []

/** What a person types, in the directory of the configuration. */
async function alluvium(...argv: string[]): Promise<CliResult> {
  const result = await runCommand([...argv, '-c', config], { POSTGRES_CONNECTION_STRING: databaseUrl })
  outputs.push(result.stdout, result.stderr)
  return result
}

const slot = async () =>
  (
    await database.query(
      "select active, confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = 'shop'",
    )
  ).rows[0]

beforeAll(async () => {
  await database.query(`
    create table customers (id int primary key, name text, balance numeric(12,2));
    create table notes (a int, b text);
    alter table notes replica identity full;
    insert into customers select i, 'first ' || i, i from generate_series(1, 50) i;`)
  const settings = {
    lake: join(directory, 'lake'),
    pipelines: {
      shop: {
        source: {
          kafka: {
            brokers: [`127.0.0.1:${setting('KAFKA_PORT')}`],
            topics: ['shop.public.*'],
            groupId: 'shop',
          },
        },
        postgres: { publication: 'shop', slot: 'shop', tables: ['customers', 'notes'] },
        connector: { url: connectUrl, config: { 'poll.interval.ms': 50, 'heartbeat.interval.ms': 500 } },
      },
    },
  }
  writeFileSync(config, JSON.stringify(settings))
})

afterAll(() => database.end())

describe('from an empty Postgres to rows in the lake', () => {
  test('`setup postgres` makes what the connector needs', async () => {
    expect(await alluvium('setup', 'postgres')).toMatchObject({ exitCode: 0 })
  })

  test('`connector register` waits until it streams, and changes nothing the second time', async () => {
    const first = await alluvium('connector', 'register')
    expect(first, first.stderr).toMatchObject({ exitCode: 0 })
    expect(first.stdout).toBe('shop is registered\nit streams: its slot is read\n')
    expect((await slot()).active).toBe(true)
    const second = await alluvium('connector', 'register', '--json')
    expect(JSON.parse(second.stdout)).toEqual({ name: 'shop', done: 'same', outcome: { kind: 'streams' } })
  })

  test('Connect shows a reference where the password is', async () => {
    const shown = await (await fetch(`${connectUrl}/connectors/shop/config`)).text()
    expect(JSON.parse(shown)['database.password']).toBe('${env:CDC_REPL_PASSWORD}')
    expect(shown).not.toContain('canary')
  })

  test('a table without a key has a topic of one partition', async () => {
    await database.query("insert into notes values (1, 'x')")
    await expect
      .poll(
        async () =>
          (await alluvium('topics', '--json')).stdout.match(/"topic":"shop\.public\.notes","partition":\d/g),
        { timeout: MINUTE },
      )
      .toHaveLength(1)
  })

  test('rows and changes arrive', async () => {
    await database.query(
      "update customers set name = 'second' where id <= 10; delete from customers where id > 40",
    )
    await expect
      .poll(
        async () => {
          const { stdout } = await alluvium('ingest', '--until-end', '--json')
          return JSON.parse(stdout).tables.find(
            (table: { name: string }) => table.name === 'public.customers',
          )?.rows
        },
        { timeout: 2 * MINUTE, interval: 1000 },
      )
      .toBe(40)
  })

  test('the slot moves while the tables rest', async () => {
    const { lsn } = await slot()
    await expect.poll(async () => (await slot()).lsn, { timeout: MINUTE, interval: 500 }).not.toBe(lsn)
  })

  test('a connector is listed, paused, resumed and restarted', async () => {
    expect((await alluvium('connector', 'list')).stdout).toMatch(/^shop +RUNNING +RUNNING$/m)
    expect(await alluvium('connector', 'pause')).toMatchObject({ exitCode: 0, stdout: 'shop is paused\n' })
    await expect
      .poll(async () => (await alluvium('connector', 'status')).exitCode, { timeout: MINUTE })
      .toBe(2)
    await alluvium('connector', 'resume')
    await expect
      .poll(async () => (await alluvium('connector', 'status')).exitCode, { timeout: MINUTE })
      .toBe(0)
    expect(await alluvium('connector', 'restart', 'shop')).toMatchObject({ exitCode: 0 })
  })

  test('what Connect finds wrong is told before anything is registered', async () => {
    const file = join(directory, 'broken.json')
    const { config: good } = JSON.parse((await alluvium('connector', 'config')).stdout)
    const broken = { ...good, 'database.dbname': 'nowhere', 'database.password': 'canary' }
    writeFileSync(file, JSON.stringify({ name: 'broken', config: broken }))
    const { exitCode, stderr } = await alluvium('connector', 'register', file)
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/problem: database\.\w+: .*nowhere/)
    expect((await alluvium('connector', 'list')).stdout).not.toContain('broken')
  })

  test('a task that fails shows its trace', async () => {
    const file = join(directory, 'failing.json')
    const { config: good } = JSON.parse((await alluvium('connector', 'config')).stdout)
    const failing = { ...good, 'topic.prefix': 'other', 'slot.name': 'other', 'publication.name': 'nowhere' }
    writeFileSync(file, JSON.stringify({ name: 'failing', config: failing }))
    const { exitCode, stderr } = await alluvium('connector', 'register', file, '--wait', '60s')
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /^task 0 of failing failed:\n.*Publication autocreation is disabled.*\n\tat io\.debezium/,
    )
    const deleted = await alluvium('connector', 'delete', 'failing')
    expect(deleted.stderr).toContain('pg_drop_replication_slot')
  })
})

describe('doctor on the real chain', () => {
  const checks = async (): Promise<{
    readonly exitCode: number
    readonly first: string | null
    readonly found: readonly string[]
  }> => {
    const { exitCode, stdout } = await alluvium('doctor', '--json')
    const { hops, firstBroken } = JSON.parse(stdout)
    const found = hops.flatMap((hop: { findings: { severity: string; check: string }[] }) => hop.findings)
    return {
      exitCode,
      first: firstBroken?.check ?? null,
      found: found
        .filter(({ severity }: { severity: string }) => severity !== 'risk')
        .map(({ check }: { check: string }) => check),
    }
  }

  test('finds nothing broken but that nobody runs the pipeline', async () => {
    await expect
      .poll(checks, { timeout: MINUTE, interval: 1000 })
      .toEqual({ exitCode: 2, first: 'not-running', found: ['not-running'] })
  })

  /** Each breaks one hop, and mends it again. */
  const BREAKS: readonly (readonly [check: string, broken: string, mended: string])[] = [
    [
      'not-published',
      'alter publication shop drop table customers',
      'alter publication shop add table customers',
    ],
    [
      'operations',
      "alter publication shop set (publish = 'insert')",
      "alter publication shop set (publish = 'insert, update, delete, truncate')",
    ],
    ['no-key', 'alter table notes replica identity default', 'alter table notes replica identity full'],
    [
      'identity-nothing',
      'alter table notes replica identity nothing',
      'alter table notes replica identity full',
    ],
    ['no-table', 'alter table customers rename to customer', 'alter table customer rename to customers'],
    ['no-select', 'revoke select on customers from cdc_repl', 'grant select on customers to cdc_repl'],
    [
      'no-usage',
      'revoke usage on schema public from cdc_repl, public',
      'grant usage on schema public to cdc_repl, public',
    ],
    ['no-replication', 'alter role cdc_repl noreplication', 'alter role cdc_repl replication'],
    ['no-login', 'alter role cdc_repl nologin', 'alter role cdc_repl login'],
  ]

  test.each(BREAKS)('names %s', async (check, broken, mended) => {
    await database.query(broken)
    try {
      expect(await checks()).toMatchObject({ exitCode: 2, first: check })
    } finally {
      await database.query(mended)
    }
    expect((await checks()).found).not.toContain(check)
  })

  test('names properties of a connector that lose something', async () => {
    const { config: good } = JSON.parse((await alluvium('connector', 'config')).stdout)
    const file = join(directory, 'careless.json')
    const careless = {
      ...good,
      'skipped.operations': 't',
      'value.converter.replace.null.with.default': 'true',
    }
    writeFileSync(file, JSON.stringify({ name: 'shop', config: careless }))
    await alluvium('connector', 'register', file)
    expect((await checks()).found).toEqual(
      expect.arrayContaining(['skipped-operations', 'null-with-default']),
    )
    expect((await alluvium('connector', 'register')).stdout).toContain('shop is changed')
    expect((await checks()).found).toEqual(['not-running'])
  })

  test('names a connector that rests', async () => {
    await alluvium('connector', 'pause')
    await expect
      .poll(async () => (await checks()).found, { timeout: MINUTE, interval: 1000 })
      .toEqual(['connector-paused', 'not-running'])
    await alluvium('connector', 'resume')
    await expect
      .poll(async () => (await checks()).found, { timeout: MINUTE, interval: 1000 })
      .toEqual(['not-running'])
  })

  test('names a slot that stands where there was no publication', async () => {
    await database.query('alter publication shop rename to other')
    expect((await checks()).first).toBe('no-publication')
    await expect.poll(async () => (await slot()).active, { timeout: MINUTE }).toBe(false)
    await database.query('alter publication other rename to shop')
    expect((await checks()).found).toEqual(['slot-stuck', 'not-running'])
  })

  test('names a connector that is gone, and the slot that it leaves', async () => {
    await alluvium('connector', 'delete')
    await expect
      .poll(async () => (await checks()).found, { timeout: MINUTE, interval: 1000 })
      .toEqual(['slot-inactive', 'no-connector', 'not-running'])
    await database.query("select pg_drop_replication_slot('shop')")
    expect((await checks()).first).toBe('no-slot')
  })
})

describe('all that was printed', () => {
  test('holds no secret', () => {
    expect(outputs.length).toBeGreaterThan(30)
    expect(outputs.filter((text) => text.includes('canary'))).toEqual([])
  })
})
