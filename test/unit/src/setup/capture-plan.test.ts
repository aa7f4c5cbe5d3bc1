import { describe, expect, test } from 'vitest'
import { defaultConfig } from '../../../../src/config/default-config.ts'
import type { CaptureSettings } from '../../../../src/config/upstream.ts'
import { planCapture } from '../../../../src/setup/capture-plan.ts'
import type { SourceFacts } from '../../../../src/setup/source-facts.ts'
import { soundSource, TABLE } from '../../../support/source-facts.ts'

const settings: CaptureSettings = {
  ...defaultConfig({ from: '.' }).upstreams.get('default')!.postgres,
  publication: 'alluvium',
  slot: 'alluvium',
  tables: ['public.orders'],
}
const sound = soundSource()

function plan(facts: Partial<SourceFacts> = {}, more: Partial<CaptureSettings> = {}, allTables = false) {
  return planCapture({ ...sound, ...facts }, { ...settings, ...more }, { withRoles: true, allTables })
}

const sqlOf = (...args: Parameters<typeof plan>) => plan(...args).statements.map(({ sql }) => sql)
const table = (changes: Partial<typeof TABLE>) => ({
  tables: new Map([...sound.tables, ['public.orders', { ...TABLE, ...changes }]]),
})

describe('planCapture', () => {
  test('a database that has all of it needs nothing', () => {
    expect(plan()).toMatchObject({ statements: [], slot: null, problems: [] })
  })

  test('names cannot end a statement', () => {
    const evil = 'public.x"; drop table y; --'
    const facts = { tables: new Map([...sound.tables, [evil, TABLE]]), publication: null }
    expect(sqlOf(facts, { tables: [evil] })).toContainEqual(
      expect.stringContaining('FOR TABLE "public"."x""; drop table y; --", "alluvium"."heartbeat"'),
    )
  })

  test('a publication gets the operations that it lacks', () => {
    const publication = { ...sound.publication!, operations: ['insert'] }
    expect(sqlOf({ publication })).toEqual([
      `ALTER PUBLICATION "alluvium" SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = true)`,
    ])
  })

  test('changed columns take the place of the old ones in one transaction', () => {
    const columns = new Map([['public.orders', ['id', 'total']]])
    expect(sqlOf({}, { columns })).toEqual([
      'ALTER PUBLICATION "alluvium" DROP TABLE "public"."orders"',
      'ALTER PUBLICATION "alluvium" ADD TABLE "public"."orders" ("id", "total")',
    ])
  })

  test('roles are made with what they need', () => {
    const statements = sqlOf({ roles: new Map(), ...table({ readableBy: [], schemaOpenTo: [] }) })
    expect(statements[0]).toBe('CREATE ROLE "cdc_repl" LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE')
    expect(statements).toContain('GRANT SELECT ON "public"."orders" TO "cdc_dq"')
    expect(statements.filter((sql) => /PASSWORD/i.test(sql))).toEqual([])
  })

  test.each<[string, Partial<SourceFacts>, Partial<CaptureSettings>, RegExp]>([
    [
      'wal_level',
      { readiness: { ...sound.readiness, walLevel: 'replica' } },
      {},
      /ALTER SYSTEM SET wal_level = logical; and restart/,
    ],
    [
      'no slot left',
      { slots: [], readiness: { ...sound.readiness, slotsUsed: 10 } },
      {},
      /max_replication_slots = 15;/,
    ],
    ['another plugin', { slots: [{ ...sound.slots[0]!, plugin: 'wal2json' }] }, {}, /decodes with wal2json/],
    [
      'a slot of another database',
      { slots: [{ ...sound.slots[0]!, database: 'other' }] },
      {},
      /belongs to the database other/,
    ],
    ['no such table', {}, { tables: ['public.order'] }, /there is no table public\.order/],
    ['no tables', {}, { tables: [] }, /no table is named/],
    [
      'a deferrable key',
      table({ isKeyDeferrable: true }),
      {},
      /deferrable primary key.*REPLICA IDENTITY FULL;/,
    ],
    ['no key', table({ key: null }), {}, /refuses its updates and deletes/],
    ['identity nothing', table({ replicaIdentity: 'nothing' }), {}, /refuses its updates and deletes/],
    [
      'a column list without the key',
      {},
      { columns: new Map([['public.orders', ['total']]]) },
      /lacks id of its key/,
    ],
    [
      'a column list and full identity',
      table({ replicaIdentity: 'full' }),
      { columns: new Map([['public.orders', ['id']]]) },
      /REPLICA IDENTITY DEFAULT;/,
    ],
    [
      'a column list on an old server',
      { readiness: { ...sound.readiness, serverVersion: 140_010 } },
      { columns: new Map([['public.orders', ['id']]]) },
      /need Postgres 15/,
    ],
    ['all tables, not confirmed', { publication: null }, { tables: '*' }, /--all-tables/],
    [
      'all tables published, some wanted',
      { publication: { ...sound.publication!, isForAllTables: true } },
      {},
      /DROP PUBLICATION "alluvium";/,
    ],
  ])('%s stops it with the cure', (_, facts, more, cure) => {
    expect(plan(facts, more).problems).toContainEqual(expect.stringMatching(cure))
  })

  test('leaves roles to an administrator where it may not make them', () => {
    const { statements, advice } = plan({
      roles: new Map(),
      login: { ...sound.login, mayCreateRoles: false },
    })
    expect(statements).toEqual([])
    expect(advice).toContainEqual(expect.stringMatching(/administrator run CREATE ROLE "cdc_repl" LOGIN.*;/))
  })

  test('advises what it never does', () => {
    const unbounded = { ...sound.readiness, slotKeepMegabytes: -1 }
    expect(plan({ readiness: unbounded }).advice).toContainEqual(
      expect.stringContaining('max_slot_wal_keep_size'),
    )
  })

  test('an excluded table is left out by name, with and without its schema', () => {
    expect(plan({}, { tables: ['public.orders', 'app._prisma_migrations'] }).tables).toEqual([
      'public.orders',
    ])
    expect(plan({}, { tables: ['public.orders', 'public.x'], exclude: ['public.x*'] }).tables).toEqual([
      'public.orders',
    ])
  })
})
