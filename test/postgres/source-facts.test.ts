import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/io/system-clock.ts'
import { PostgresConnectionManager } from '../../src/postgres/connection-manager.ts'
import { readSourceFacts } from '../../src/setup/read-source-facts.ts'
import type { SourceFacts } from '../../src/setup/source-facts.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
/** Slots and roles belong to the whole server. */
const own = `facts${process.pid}`

describe.skipIf(database.missing !== null)('what a Postgres says of itself', () => {
  const manager = new PostgresConnectionManager({ connectionString: database.url || 'postgres://none' })
  let facts: SourceFacts

  beforeAll(async () => {
    await database.query(`
      create schema app;
      create table app.orders (id int primary key, total numeric, email text);
      create table app.swaps (id int primary key deferrable initially deferred);
      create table app.parts (id int, region text, primary key (region, id)) partition by list (region);
      create table app.parts_north partition of app.parts for values in ('north');
      create table app.bare (a int);
      alter table app.bare replica identity full;
      create role ${own} login;
      grant usage on schema app to ${own};
      grant select (id, total) on app.orders to ${own};
      create publication facts for table app.orders (id, total), app.parts with (publish = 'insert,delete');`)
    await database.query(`select pg_create_logical_replication_slot('${own}', 'test_decoding')`)
    facts = await readSourceFacts(
      manager,
      { publication: 'facts', roles: [own, 'nobody_of_that_name'] },
      systemClock,
    )
  })

  afterAll(async () => {
    await database.query(`select pg_drop_replication_slot('${own}'); drop owned by ${own}; drop role ${own}`)
    await manager.close()
    await database.close()
  })

  test('tables, with what tells their rows apart', () => {
    expect([...facts.tables.keys()].sort()).toEqual(['app.bare', 'app.orders', 'app.parts', 'app.swaps'])
    expect(facts.tables.get('app.swaps')).toMatchObject({
      key: ['id'],
      isKeyDeferrable: true,
      replicaIdentity: 'default',
    })
    expect(facts.tables.get('app.parts')).toMatchObject({
      key: ['region', 'id'],
      isKeyDeferrable: false,
      isPartitioned: true,
    })
    expect(facts.tables.get('app.bare')).toMatchObject({
      key: null,
      isKeyDeferrable: false,
      replicaIdentity: 'full',
    })
  })

  test('who may read them, also by columns', () => {
    expect(facts.tables.get('app.orders')).toMatchObject({ readableBy: [own], schemaOpenTo: [own] })
    expect(facts.tables.get('app.bare')).toMatchObject({ readableBy: [], schemaOpenTo: [own] })
    expect([...facts.roles]).toEqual([[own, { mayLogIn: true, mayReplicate: false, isSuperuser: false }]])
  })

  test('the publication, with its column lists', () => {
    expect(facts.publication).toMatchObject({
      isForAllTables: false,
      operations: ['insert', 'delete'],
      isViaRoot: false,
    })
    expect(facts.publication!.tables.get('app.orders')).toEqual(['id', 'total'])
    expect([...facts.publication!.tables.keys()].sort()).toEqual([
      'app.orders',
      'app.parts',
      'app.parts_north',
    ])
  })

  test('slots with the log that they keep', () => {
    expect(facts.slots.find(({ name }) => name === own)).toMatchObject({
      plugin: 'test_decoding',
      isActive: false,
      walStatus: 'reserved',
      retainedBytes: expect.any(Number),
      safeBytes: null,
    })
  })

  test('its clock, its login and how fast its log grows', () => {
    expect(Math.abs(facts.server.nowMs - systemClock.nowMs())).toBeLessThan(60_000)
    expect(facts.server.walBytesPerSecond).toBeGreaterThanOrEqual(0)
    expect(facts.login).toMatchObject({
      name: 'postgres',
      isSuperuser: true,
      mayCreateRoles: true,
      isEncrypted: false,
    })
  })

  test('a publication that there is not', async () => {
    const other = await readSourceFacts(manager, { publication: 'nowhere', roles: [] }, systemClock)
    expect(other.publication).toBeNull()
    expect(other.tables.get('app.orders')).toMatchObject({ readableBy: [] })
  })
})
