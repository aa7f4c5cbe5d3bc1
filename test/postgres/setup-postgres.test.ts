import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand } from '../support/cli-run.ts'
import { openTestDatabase } from './test-database.ts'

const database = await openTestDatabase()
/** Slots and roles belong to the whole server. */
const own = `s${process.pid}`
const variables = {
  POSTGRES_CONNECTION_STRING: database.url,
  POSTGRES_CDC_PUBLICATION: 'pub',
  POSTGRES_CDC_SLOT: own,
  POSTGRES_CDC_TABLES: 'customers,order,_prisma_migrations',
}
const setup = (...more: string[]) => runCommand(['setup', 'postgres', '--no-roles', ...more], variables)
const names = async (sql: string) => (await database.query(sql)).rows.map((row) => Object.values(row)[0])
const published = () => names("select tablename from pg_publication_tables where pubname = 'pub' order by 1")

describe.skipIf(database.missing !== null)('alluvium setup postgres', () => {
  beforeAll(async () => {
    await database.query(`
      create table customers (id int primary key, name text, email text);
      create table "order" (id int primary key);
      create table _prisma_migrations (id int primary key);
      create table bare (a int);`)
  })

  afterAll(async () => {
    await database.query(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1',
      [own],
    )
    await database.close()
  })

  test('prints its SQL and does nothing when asked to', async () => {
    const { exitCode, stdout } = await setup('--dry-run')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/CREATE PUBLICATION "pub" FOR TABLE "public"\."customers", "public"\."order", /)
    expect(stdout).toContain(`SELECT pg_create_logical_replication_slot('${own}', 'pgoutput');`)
    expect(await names('select pubname from pg_publication')).toEqual([])
  })

  test('makes publication, heartbeat and slot, and leaves out the tables of migration tools', async () => {
    const { exitCode, stdout, stderr } = await setup()
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toContain('is ready: publication pub (public.customers, public.order)')
    expect(stderr).toContain('public._prisma_migrations is left out')
    expect(await published()).toEqual(['customers', 'heartbeat', 'order'])
    expect(await names(`select plugin from pg_replication_slots where slot_name = '${own}'`)).toEqual([
      'pgoutput',
    ])
    expect(await names('select id from alluvium.heartbeat')).toEqual([1])
  })

  test('finds nothing to do the second time', async () => {
    const { exitCode, stdout } = await setup('--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ done: true, sql: [], problems: [] })
  })

  test('adds what a publication lacks and takes nothing away', async () => {
    await database.query('create table added (id int primary key)')
    await database.query('alter publication pub add table bare')
    const { exitCode, stdout, stderr } = await setup('--tables', 'added,customers')
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toContain('made public.added in pub')
    expect(stderr).toMatch(/public\.bare is in the publication.*DROP TABLE "public"\."bare";/)
    expect(await published()).toEqual(['added', 'bare', 'customers', 'heartbeat', 'order'])
  })

  test('brings a publication of leaves to show partitioned tables under their own name', async () => {
    await database.query(`
      create table parts (id int, region text, primary key (region, id)) partition by list (region);
      create table parts_north partition of parts for values in ('north');
      create publication leaves for table parts with (publish = 'insert')`)
    const { exitCode, stderr } = await setup('--tables', 'parts', '--publication', 'leaves')
    expect(exitCode, stderr).toBe(0)
    expect(
      await names("select tablename from pg_publication_tables where pubname = 'leaves' order by 1"),
    ).toEqual(['heartbeat', 'parts'])
  })

  test('does nothing when Postgres would refuse the updates of a published table', async () => {
    const { exitCode, stderr } = await setup('--tables', 'bare', '--publication', 'other')
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(
      /problem: public\.bare has nothing that identifies.*run ALTER TABLE "public"\."bare" REPLICA IDENTITY FULL;/,
    )
    expect(await names('select pubname from pg_publication order by 1')).toEqual(['leaves', 'pub'])
  })

  test('wants a publication of all tables to be confirmed', async () => {
    const asked = await setup('--tables', '*', '--publication', 'everything')
    expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('confirm with --all-tables') })
    const confirmed = await setup('--all-tables', '--publication', 'everything', '--dry-run')
    expect(confirmed.stdout).toContain('CREATE PUBLICATION "everything" FOR ALL TABLES')
  })

  test('waits for a table, and says so when it does not come', async () => {
    const asked = setup('--wait-for-table', 'late', '--interval', '100ms', '--dry-run')
    setTimeout(() => void database.query('create table late (id int primary key)'), 300)
    expect((await asked).exitCode).toBe(0)
    const never = await setup('--wait-for-table', 'never', '--attempts', '2', '--interval', '10ms')
    expect(never.exitCode).toBe(64)
    expect(never.stderr).toMatch(/table public\.never not found in .* after 2 attempts.*E_NO_SOURCE_TABLE/)
  })

  test('waits for a server, and not for a login that is not accepted', async () => {
    const at = (url: string) =>
      runCommand(['setup', 'postgres', '--attempts', '2', '--interval', '10ms'], {
        ...variables,
        POSTGRES_CONNECTION_STRING: url,
      })
    expect(await at('postgres://u:canary@127.0.0.1:1/x')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^\S+ does not answer: .*\nwaiting, 2 attempts at most\nerror: .* after 2 attempts.*E_POSTGRES_UNREACHABLE/,
      ),
    })
    const refused = await at(database.url.replace(/\/test_.*$/, '/no_such_database'))
    expect(refused.stderr).toMatch(/no such database/)
    expect(refused.stderr).not.toContain('attempts')
  })

  test('its roles may do what the connector needs and no more', async () => {
    const roles = `pipelines: { p: { source: { files: x }, postgres: { role: repl_${own}, proofRole: dq_${own}, columns: { public.customers: [id, name] } } } }`
    const { mkdtempSync, writeFileSync } = await import('node:fs')
    const { join } = await import('node:path')
    const { tmpdir } = await import('node:os')
    const file = join(mkdtempSync(join(tmpdir(), 'setup-')), 'alluvium.yaml')
    writeFileSync(file, `lake: ./lake\n${roles}\n`)
    const { exitCode, stderr } = await runCommand(['setup', 'postgres', '-c', file], variables)
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain(`repl_${own} has no password yet`)
    const may = (what: string) => names(`select ${what}`)
    expect(await may(`has_column_privilege('repl_${own}', 'customers', 'name', 'select')`)).toEqual([true])
    expect(await may(`has_column_privilege('repl_${own}', 'customers', 'email', 'select')`)).toEqual([false])
    expect(await may(`has_table_privilege('repl_${own}', 'bare', 'select')`)).toEqual([false])
    expect(await may(`has_table_privilege('repl_${own}', 'alluvium.heartbeat', 'update')`)).toEqual([true])
    expect(await may(`rolreplication from pg_roles where rolname = 'dq_${own}'`)).toEqual([false])
    expect(
      await names(
        "select attnames::text from pg_publication_tables where pubname = 'pub' and tablename = 'customers'",
      ),
    ).toEqual(['{id,name}'])
    const again = await runCommand(['setup', 'postgres', '-c', file, '--json'], variables)
    expect(JSON.parse(again.stdout)).toMatchObject({ done: true, sql: [] })
    await database.query(`drop owned by repl_${own}, dq_${own}; drop role repl_${own}, dq_${own}`)
  })
})
