import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineError } from '../../core/errors.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()

describe.skipIf(database.missing !== null)('a Postgres that is asked', () => {
  const manager = new PostgresConnectionManager({ connectionString: database.url || 'postgres://none' })

  beforeAll(async () => {
    await database.query(`
      create domain cents as numeric(12,2); create domain price as cents;
      create type mood as enum ('sad', 'ok');
      create schema app;
      create table app."Odd ""name" (
        "B" text not null, id bigint generated always as identity, sum price default 1.50, moods mood[],
        kept timestamptz(3) default now(), twice int generated always as (2 * 3) stored, gone int,
        primary key ("B", id));
      alter table app."Odd ""name" drop column gone;
      alter table app."Odd ""name" replica identity full;
      create table public.customers (id int primary key, name varchar(20));
      insert into customers select i, 'n' || i from generate_series(1, 1234) i;
      create table app.parts (id int, region text not null) partition by list (region);
      create table app.parts_north partition of app.parts for values in ('north');
      create table app.parts_rest partition of app.parts default partition by range (id);
      create table app.parts_rest_1 partition of app.parts_rest for values from (0) to (1000);
      insert into app.parts select i, case when i < 100 then 'north' else 'south' end from generate_series(1, 300) i;
      create table bare (a int, b int not null unique);
      alter table bare replica identity using index bare_b_key;
      create view seen as select * from customers;`)
  })

  afterAll(async () => {
    await manager.close()
    await database.close()
  })

  test('describes columns, key, identity and defaults as the stream has them', async () => {
    const found = await manager.describeTable({ schema: 'app', table: 'Odd "name' })
    expect(found).toEqual({
      schema: 'app',
      table: 'Odd "name',
      key: ['B', 'id'],
      replicaIdentity: 'full',
      identityColumns: null,
      isPartitioned: false,
      partitions: [],
      columns: [
        column('B', 'text', { isNullable: false }),
        column('id', 'bigint', { isNullable: false, isIdentity: true }),
        column('sum', 'numeric(12,2)', { defaultExpression: '1.50' }),
        column('moods', 'mood[]'),
        column('kept', 'timestamp(3) with time zone', { defaultExpression: 'now()' }),
        column('twice', 'integer', { defaultExpression: '(2 * 3)', isGenerated: true }),
      ],
    })
  })

  test('names the leaves of a partitioned table, and the columns of an identity index', async () => {
    const parts = await manager.getTableSchema('app.parts')
    expect(parts).toMatchObject({ isPartitioned: true, key: null })
    expect(parts.partitions).toEqual(['app.parts_north', 'app.parts_rest_1'])
    const bare = await manager.getTableSchema('bare')
    expect(bare).toMatchObject({ replicaIdentity: 'index', identityColumns: ['b'] })
  })

  test('lists tables, no views and no leaves', async () => {
    expect(await manager.listTables()).toEqual([
      'app.Odd "name',
      'app.parts',
      'public.bare',
      'public.customers',
    ])
  })

  test('counts exactly, and estimates once the table was analysed', async () => {
    expect(await manager.getTableCount('customers')).toBe(1234n)
    expect(await manager.getTableEstimate('customers')).toBeNull()
    await database.query('analyze customers; analyze app.parts')
    expect(await manager.getTableEstimate('customers')).toBe(1234n)
    expect(await manager.getTableEstimate('app.parts')).toBe(300n)
  })

  test('says that a table is not there, and how tables are named', async () => {
    await expect(manager.getTableSchema('customer')).rejects.toMatchObject({ code: 'E_NO_SOURCE_TABLE' })
    expect(await manager.describeTable({ schema: 'public', table: 'seen' })).toBeNull()
  })

  test('knows whether a connector can read it', async () => {
    const ready = await manager.checkCdcReadiness()
    expect(ready).toMatchObject({ walLevel: 'logical', isReady: true, problems: [], serverEncoding: 'UTF8' })
  })

  test('gives values as the database writes them', async () => {
    const [row] = await manager.query(
      'test',
      `select 9007199254740993::bigint as big, 1.10::numeric as n, null as none`,
    )
    expect(row).toEqual({ big: '9007199254740993', n: '1.10', none: null })
  })

  test.each([1, 10])('serves many at a time with a pool of %i', async (poolSize) => {
    await using pooled = new PostgresConnectionManager({ connectionString: database.url, poolSize })
    const asked = Array.from({ length: 25 }, (_, i) => pooled.query('test', 'select $1::int + 1 as n', [i]))
    expect((await Promise.all(asked)).map(([row]) => Number(row!['n']))).toEqual(
      Array.from({ length: 25 }, (_, i) => i + 1),
    )
  })

  test('rolls back what a session left open, and goes on', async () => {
    await using one = new PostgresConnectionManager({ connectionString: database.url, poolSize: 1 })
    const failing = one.session(async (session) => {
      await session.query('test', 'BEGIN')
      await session.query('test', 'insert into bare values (1, 1)')
      await session.query('test', 'select 1/0')
    })
    await expect(failing).rejects.toMatchObject({ code: 'E_POSTGRES_FAILED', remedy: 'stop' })
    expect(await one.query('test', 'select count(*) as n from bare')).toEqual([{ n: '0' }])
  })

  test('gives a statement up that takes too long', async () => {
    await using hasty = new PostgresConnectionManager({
      connectionString: database.url,
      statementTimeoutMs: 50,
      attempts: 1,
    })
    await expect(hasty.query('test', 'select pg_sleep(5)')).rejects.toMatchObject({ code: 'E_POSTGRES_BUSY' })
  })

  test('fails at once when the login is not accepted, and says no secret', async () => {
    await database.query(`create role nobody_much login password 'right'`)
    const url = new URL(database.url)
    url.username = 'no_such_role'
    url.password = 'hunter2-canary'
    const stranger = new PostgresConnectionManager({ connectionString: url.href })
    const error = await stranger.query('test', 'select 1').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'E_POSTGRES_LOGIN', remedy: 'stop' })
    const told = [inspect(error, { depth: 9, showHidden: true }), inspect(stranger), JSON.stringify(stranger)]
    expect(told.join()).not.toContain('hunter2')
    expect((error as EngineError).message).toContain('pg_hba.conf')
    await stranger.close()
  })

  test('bears that the server ends a connection which asks nothing at the moment', async () => {
    const pid = await manager.session(async (session) => {
      const [row] = await session.query('test', 'select pg_backend_pid() as pid')
      await database.query('select pg_terminate_backend($1::int)', [row!['pid']])
      await expect.poll(async () => (await backend(row!['pid']!)).rowCount).toBe(0)
      await expect(session.query('test', 'select 1')).rejects.toThrow()
      return row!['pid']
    })
    const [row] = await manager.query('test', 'select pg_backend_pid() as pid')
    expect(row!['pid']).not.toBe(pid)
  })

  test('refuses to be asked after it was closed', async () => {
    const done = new PostgresConnectionManager({ connectionString: database.url })
    await done.close()
    await done.close()
    await expect(done.query('test', 'select 1')).rejects.toMatchObject({ code: 'E_POSTGRES_CLOSED' })
  })
})

function backend(pid: string) {
  return database.query('select from pg_stat_activity where pid = $1::int', [pid])
}

function column(name: string, type: string, more: object = {}): object {
  return {
    ...{
      name,
      type,
      kind: 'base',
      isNullable: true,
      defaultExpression: null,
      isGenerated: false,
      isIdentity: false,
    },
    ...more,
  }
}
