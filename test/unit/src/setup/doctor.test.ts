import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../../core/errors.ts'
import type { ChainFacts } from '../../../../src/setup/doctor/chain-facts.ts'
import { diagnose } from '../../../../src/setup/doctor/diagnose.ts'
import type { Hop, Severity } from '../../../../src/setup/doctor/finding.ts'
import type { SlotFact, SourceFacts, TableFact } from '../../../../src/setup/source-facts.ts'
import {
  GROUP,
  known,
  soundChain,
  TOPIC,
  withConnector,
  withProperties,
  withSource,
  withTopic,
} from '../../../support/chain-facts.ts'
import { unknownCalls } from '../../../support/known-commands.ts'
import { soundSource, TABLE } from '../../../support/source-facts.ts'

const GB = 1024 ** 3
const HOUR_MS = 3_600_000

const look = (change: Partial<ChainFacts> = {}, production = false) =>
  diagnose({ ...soundChain(), ...change }, { production, lake: 's3://lake/delta' })

const readiness = (change: Partial<SourceFacts['readiness']>) =>
  withSource((source) => ({ readiness: { ...source.readiness, ...change } }))
const slot = (change: Partial<SlotFact>) =>
  withSource((source) => ({ slots: [{ ...source.slots[0]!, ...change }] }))
const table = (change: Partial<TableFact>) =>
  withSource((source) => ({
    tables: new Map([...source.tables, ['public.orders', { ...TABLE, ...change }]]),
  }))
const role = (change: object) =>
  withSource((source) => ({
    roles: new Map([...source.roles, ['cdc_repl', { ...source.roles.get('cdc_repl')!, ...change }]]),
  }))
const publication = (change: Partial<NonNullable<SourceFacts['publication']>>) =>
  withSource((source) => ({ publication: { ...source.publication!, ...change } }))
const server = (change: Partial<SourceFacts['server']>) =>
  withSource((source) => ({ server: { ...source.server, ...change } }))
const pipeline = (change: object): Partial<ChainFacts> => ({
  pipeline: { ...soundChain().pipeline, ...change },
})
const capture = (change: object): Partial<ChainFacts> => {
  const { upstream } = soundChain()
  return { upstream: { ...upstream, postgres: { ...upstream.postgres, ...change } } }
}
const status = (state: string, task: string, trace: string | null = null) =>
  withConnector({
    status: {
      name: 'shop',
      state,
      worker: 'w',
      trace: null,
      tasks: [{ id: 0, state: task, worker: 'w', trace }],
    },
  })
const partition = (change: object) => withTopic({ partitions: [{ ...TOPIC.partitions[0]!, ...change }] })
const lakeTable = (change: object): Partial<ChainFacts> => {
  const { tables } = soundChain()
  return {
    tables: known(tables.kind === 'known' ? tables.value.map((each) => ({ ...each, ...change })) : []),
  }
}
const silent = (code: string, message = 'no answer') =>
  ({ kind: 'unknown', error: new EngineError(code, 'retry', message) }) as const
const deployment = (change: object) => ({ deployment: { ...soundChain().deployment, ...change } })
const inClear = (source: object) => pipeline({ source: { ...soundChain().pipeline.source, ...source } })
const publishedTables = (change: Readonly<Record<string, readonly string[] | null>>) =>
  publication({
    tables: new Map(Object.entries({ 'public.orders': null, 'alluvium.heartbeat': null, ...change })),
  })

type Fault = readonly [
  what: string,
  planted: Partial<ChainFacts>,
  hop: Hop,
  check: string,
  severity: Severity,
  cure: RegExp,
]

const FAULTS: readonly Fault[] = [
  [
    'the server does not log logically',
    readiness({ walLevel: 'replica' }),
    'server',
    'wal-level',
    'broken',
    /ALTER SYSTEM SET wal_level = logical; and restart/,
  ],
  [
    'the server waits for its restart',
    {
      ...withSource((source) => ({
        readiness: { ...source.readiness, walLevel: 'replica' },
        server: { ...source.server, pendingRestart: ['wal_level'] },
      })),
    },
    'server',
    'wal-level',
    'broken',
    /^restart the server$/,
  ],
  [
    'a setting waits for a restart',
    server({ pendingRestart: ['max_wal_senders'] }),
    'server',
    'pending-restart',
    'risk',
    /restart/,
  ],
  [
    'all slots are taken',
    withSource((source) => ({ slots: [], readiness: { ...source.readiness, slotsUsed: 10 } })),
    'server',
    'slots-taken',
    'broken',
    /max_replication_slots = 15;/,
  ],
  [
    'no WAL sender is left',
    withSource((source) => ({
      slots: [{ ...source.slots[0]!, isActive: false }],
      server: { ...source.server, walSendersUsed: 10 },
    })),
    'server',
    'wal-senders',
    'broken',
    /max_wal_senders = 15;/,
  ],
  ['an old standby', readiness({ isStandby: true }), 'server', 'standby', 'broken', /primary/],
  ['an old server', readiness({ serverVersion: 120_000 }), 'server', 'old-server', 'risk', /upgrade to 14/],
  [
    'the database does not answer',
    { source: silent('E_POSTGRES_UNREACHABLE') },
    'server',
    'postgres-unreachable',
    'broken',
    /E_POSTGRES_UNREACHABLE/,
  ],
  [
    'the database refuses the login',
    { source: silent('E_POSTGRES_LOGIN') },
    'server',
    'postgres-login',
    'broken',
    /E_POSTGRES_LOGIN/,
  ],

  [
    'the role is missing',
    withSource(() => ({ roles: new Map() })),
    'rights',
    'no-role',
    'broken',
    /alluvium setup postgres/,
  ],
  [
    'the role may not log in',
    role({ mayLogIn: false }),
    'rights',
    'no-login',
    'broken',
    /ALTER ROLE "cdc_repl" LOGIN;/,
  ],
  [
    'the role may not replicate',
    role({ mayReplicate: false }),
    'rights',
    'no-replication',
    'broken',
    /ALTER ROLE "cdc_repl" REPLICATION;/,
  ],
  ['the role is a superuser', role({ isSuperuser: true }), 'rights', 'superuser', 'risk', /makes cdc_repl/],
  [
    'the schema is closed',
    table({ schemaOpenTo: [] }),
    'rights',
    'no-usage',
    'broken',
    /GRANT USAGE ON SCHEMA "public" TO "cdc_repl";/,
  ],
  [
    'the table may not be read',
    table({ readableBy: ['cdc_dq'] }),
    'rights',
    'no-select',
    'broken',
    /GRANT SELECT ON "public"\."orders" TO "cdc_repl";/,
  ],

  [
    'the publication is missing',
    withSource(() => ({ publication: null })),
    'publication',
    'no-publication',
    'broken',
    /CREATE PUBLICATION "alluvium" FOR TABLE "public"\."orders";/,
  ],
  [
    'a table is not published',
    publication({ tables: new Map([['alluvium.heartbeat', null]]) }),
    'publication',
    'not-published',
    'broken',
    /ALTER PUBLICATION "alluvium" ADD TABLE "public"\."orders";/,
  ],
  [
    'a table has another name',
    capture({ tables: ['public.order'] }),
    'publication',
    'no-table',
    'broken',
    /singular or plural/,
  ],
  [
    'a named table is not captured',
    withSource((source) => ({ tables: new Map([...source.tables, ['public.items', TABLE]]) })),
    'publication',
    'not-captured',
    'broken',
    /postgres\.tables/,
  ],
  [
    'deletes are not published',
    publication({ operations: ['insert', 'update'] }),
    'publication',
    'operations',
    'broken',
    /publish = 'insert, update, delete, truncate'/,
  ],
  [
    'leaves are published',
    withSource((source) => ({
      publication: { ...source.publication!, isViaRoot: false },
      tables: new Map([...source.tables, ['public.orders', { ...TABLE, isPartitioned: true }]]),
    })),
    'publication',
    'via-root',
    'broken',
    /publish_via_partition_root = true/,
  ],
  [
    'the heartbeat is not published',
    publication({ tables: new Map([['public.orders', null]]) }),
    'publication',
    'no-heartbeat',
    'risk',
    /alluvium setup postgres/,
  ],
  [
    'all tables are published',
    publication({ isForAllTables: true }),
    'publication',
    'all-tables',
    'risk',
    /DROP PUBLICATION "alluvium";/,
  ],
  ['a table has no key', table({ key: null }), 'publication', 'no-key', 'broken', /REPLICA IDENTITY FULL;/],
  [
    'a table has no identity',
    table({ replicaIdentity: 'nothing' }),
    'publication',
    'identity-nothing',
    'broken',
    /REPLICA IDENTITY DEFAULT;/,
  ],
  [
    'a key is deferrable',
    table({ isKeyDeferrable: true }),
    'publication',
    'deferrable-key',
    'broken',
    /REPLICA IDENTITY FULL;/,
  ],
  [
    'a key is deferrable beside an index',
    table({ isKeyDeferrable: true, replicaIdentity: 'index' }),
    'publication',
    'deferrable-key',
    'risk',
    /REPLICA IDENTITY FULL;/,
  ],
  [
    'the key is not in the column list',
    publishedTables({ 'public.orders': ['total'] }),
    'publication',
    'key-not-published',
    'broken',
    /postgres\.columns/,
  ],

  [
    'the slot is missing',
    withSource(() => ({ slots: [] })),
    'slot',
    'no-slot',
    'broken',
    /pg_create_logical_replication_slot\('alluvium', 'pgoutput'\)/,
  ],
  [
    'the slot has another plugin',
    slot({ plugin: 'wal2json' }),
    'slot',
    'slot-plugin',
    'broken',
    /pg_drop_replication_slot\('alluvium'\)/,
  ],
  [
    'the slot is of another database',
    slot({ database: 'other' }),
    'slot',
    'slot-database',
    'broken',
    /postgres\.slot/,
  ],
  ['the log of the slot is gone', slot({ walStatus: 'lost' }), 'slot', 'slot-lost', 'broken', /new snapshot/],
  [
    'the log of the slot is going',
    slot({ walStatus: 'unreserved' }),
    'slot',
    'slot-unreserved',
    'broken',
    /start the connector now/,
  ],
  [
    'nobody reads the slot',
    { ...slot({ isActive: false }), ...status('PAUSED', 'PAUSED') },
    'slot',
    'slot-inactive',
    'broken',
    /start the connector/,
  ],
  [
    'the connector cannot read the slot',
    slot({ isActive: false }),
    'slot',
    'slot-stuck',
    'broken',
    /log of Connect.*pg_drop_replication_slot\('alluvium'\)/,
  ],
  [
    'the log lasts for hours only',
    slot({ isActive: false, safeBytes: 10 * GB }),
    'slot',
    'slot-space',
    'broken',
    /start the connector/,
  ],
  [
    'the slot keeps much',
    slot({ retainedBytes: 20 * GB, safeBytes: 30 * GB }),
    'slot',
    'slot-retained',
    'risk',
    /why the connector is behind/,
  ],
  [
    'the slot may fill the disk',
    readiness({ slotKeepMegabytes: -1 }),
    'slot',
    'slot-unbounded',
    'risk',
    /max_slot_wal_keep_size = '50GB'/,
  ],
  [
    'transactions do not fit',
    slot({ spilledBytes: 50 * GB }),
    'slot',
    'slot-spills',
    'risk',
    /logical_decoding_work_mem/,
  ],
  [
    'a slot was forgotten',
    withSource((source) => ({
      slots: [
        ...source.slots,
        {
          ...source.slots[0]!,
          name: 'old',
          isActive: false,
          inactiveSinceMs: source.server.nowMs - 50 * HOUR_MS,
        },
      ],
    })),
    'slot',
    'unused-slot',
    'risk',
    /pg_drop_replication_slot\('old'\)/,
  ],

  [
    'Connect does not answer',
    { connector: silent('E_CONNECT_UNREACHABLE') },
    'connector',
    'connect-unreachable',
    'broken',
    /E_CONNECT_UNREACHABLE/,
  ],
  [
    'the connector is missing',
    withConnector({ status: null, config: null }),
    'connector',
    'no-connector',
    'broken',
    /alluvium connector register/,
  ],
  [
    'a task failed',
    status('RUNNING', 'FAILED', 'no such slot'),
    'connector',
    'connector-failed',
    'broken',
    /connector restart/,
  ],
  [
    'the connector is paused',
    status('PAUSED', 'PAUSED'),
    'connector',
    'connector-paused',
    'broken',
    /connector resume/,
  ],
  [
    'the connector has no task',
    withConnector({ status: { name: 'shop', state: 'RUNNING', worker: 'w', trace: null, tasks: [] } }),
    'connector',
    'no-task',
    'broken',
    /log of Connect/,
  ],
  [
    'a task is not assigned',
    status('RUNNING', 'UNASSIGNED'),
    'connector',
    'task-waits',
    'broken',
    /wait until the workers/,
  ],
  [
    'the connector reads another slot',
    withProperties({ 'slot.name': 'other' }),
    'connector',
    'connector-names',
    'broken',
    /postgres\.slot/,
  ],
  [
    'the connector writes other topics',
    withProperties({ 'topic.prefix': 'other' }),
    'connector',
    'connector-names',
    'broken',
    /connector\.topicPrefix/,
  ],
  [
    'the connector has another plugin',
    withProperties({ 'plugin.name': null }),
    'connector',
    'connector-plugin',
    'broken',
    /pgoutput/,
  ],
  [
    'the connector leaves out a table',
    withProperties({ 'table.include.list': 'public\\.customers' }),
    'connector',
    'not-included',
    'broken',
    /table\.include\.list/,
  ],
  [
    'the connector excludes a table',
    withProperties({ 'table.include.list': null, 'table.exclude.list': 'public\\..*' }),
    'connector',
    'not-included',
    'broken',
    /table\.include\.list/,
  ],
  [
    'nulls become defaults',
    withProperties({ 'value.converter.replace.null.with.default': null }),
    'connector',
    'null-with-default',
    'broken',
    /replace\.null\.with\.default` to false/,
  ],
  [
    'values are Avro',
    withProperties({ 'value.converter': 'io.confluent.connect.avro.AvroConverter' }),
    'connector',
    'converter',
    'broken',
    /JsonConverter/,
  ],
  [
    'events have no schemas',
    withProperties({ 'value.converter.schemas.enable': 'false' }),
    'connector',
    'no-schemas',
    'broken',
    /tables\.<name>\.columns/,
  ],
  [
    'decimals are doubles',
    withProperties({ 'decimal.handling.mode': 'double' }),
    'connector',
    'decimals',
    'broken',
    /precise or string/,
  ],
  [
    'times are cut',
    withProperties({ 'time.precision.mode': 'connect' }),
    'connector',
    'times',
    'broken',
    /adaptive/,
  ],
  [
    'truncates are skipped',
    withProperties({ 'skipped.operations': null }),
    'connector',
    'skipped-operations',
    'broken',
    /to none/,
  ],
  [
    'no heartbeats',
    withProperties({ 'heartbeat.interval.ms': '0' }),
    'connector',
    'no-heartbeats',
    'risk',
    /heartbeat\.interval\.ms/,
  ],
  [
    'heartbeats move nothing',
    withProperties({ 'heartbeat.action.query': null }),
    'connector',
    'heartbeat-query',
    'risk',
    /heartbeat\.action\.query/,
  ],
  [
    'the slot is dropped with the connector',
    withProperties({ 'slot.drop.on.stop': 'true' }),
    'connector',
    'slot-drop',
    'broken',
    /slot\.drop\.on\.stop/,
  ],
  [
    'events are flattened bare',
    withProperties({ 'transforms.u.type': 'io.debezium.transforms.ExtractNewRecordState' }),
    'connector',
    'unwrap-fields',
    'broken',
    /connector\.unwrap: true/,
  ],
  [
    'no snapshot is taken',
    withProperties({ 'snapshot.mode': 'never' }),
    'connector',
    'no-snapshot',
    'risk',
    /execute-snapshot/,
  ],
  [
    'a password in Connect',
    withProperties({ 'database.password': 'hunter2' }),
    'connector',
    'secret-in-connect',
    'risk',
    /config provider/,
  ],

  [
    'the brokers do not answer',
    { topics: silent('E_KAFKA_UNREACHABLE') },
    'topics',
    'kafka-unreachable',
    'broken',
    /E_KAFKA_UNREACHABLE/,
  ],
  [
    'there is no topic',
    { topics: known({ brokerCount: 3, topics: [] }) },
    'topics',
    'no-topics',
    'broken',
    /source\.kafka\.topics/,
  ],
  [
    'a table has no topic',
    withTopic({ feeds: ['public.others'] }),
    'topics',
    'no-topic',
    'broken',
    /tables\.<name>\.topics/,
  ],
  [
    'a partition has no leader',
    partition({ hasLeader: false }),
    'topics',
    'no-leader',
    'broken',
    /bring the brokers back/,
  ],
  [
    'records were thrown away unread',
    partition({ startOffset: 95n }),
    'topics',
    'records-gone',
    'broken',
    /--accept-gap/,
  ],
  [
    'the topic was made anew',
    partition({ endOffset: 20n }),
    'topics',
    'topic-recreated',
    'broken',
    /checkpoint reset PIPELINE --topic shop\.public\.orders/,
  ],
  [
    'lag comes near to retention',
    partition({ lagMs: 4 * 24 * HOUR_MS }),
    'topics',
    'lag-near-retention',
    'broken',
    /retention\.ms=/,
  ],
  [
    'records are kept for a day',
    withTopic({ retentionMs: 24 * HOUR_MS }),
    'topics',
    'short-retention',
    'risk',
    /retention\.ms=604800000/,
  ],
  [
    'a keyless table in two partitions',
    table({ key: null, replicaIdentity: 'full' }),
    'topics',
    'keyless-order',
    'broken',
    /one partition/,
  ],
  [
    'a keyless table in a compacted topic',
    {
      ...table({ key: null, replicaIdentity: 'full' }),
      ...withTopic({ isCompacted: true, partitions: [TOPIC.partitions[0]!] }),
    },
    'topics',
    'keyless-compacted',
    'broken',
    /cleanup\.policy=delete/,
  ],

  [
    'nobody runs the pipeline',
    { group: known({ ...GROUP, state: 'Empty', members: 0, isRunning: false }) },
    'group',
    'not-running',
    'broken',
    /alluvium ingest/,
  ],
  [
    'the process is not in the group',
    { group: known({ ...GROUP, state: 'Empty', members: 0 }) },
    'group',
    'no-members',
    'broken',
    /its log/,
  ],
  [
    'strangers use the group',
    { group: known({ ...GROUP, isRunning: false }) },
    'group',
    'strangers',
    'broken',
    /groupId/,
  ],
  [
    'the group never rests',
    { group: known({ ...GROUP, state: 'PreparingRebalance' }) },
    'group',
    'rebalancing',
    'risk',
    /comes and goes/,
  ],
  [
    'somebody commits in the group',
    { group: known({ ...GROUP, aheadOf: ['shop.public.orders/0'] }) },
    'group',
    'group-ahead',
    'risk',
    /one of its own/,
  ],

  [
    'the store ignores conditions',
    {
      store: known({
        refused: [],
        conditionalPut: new EngineError('E_STORE_UNFIT', 'stop', 'ignores If-None-Match'),
      }),
    },
    'store',
    'conditional-put',
    'broken',
    /If-None-Match/,
  ],
  [
    'the store refuses to write',
    { store: known({ refused: ['put'], conditionalPut: null }) },
    'store',
    'store-rights',
    'broken',
    /s3:PutObject/,
  ],
  [
    'the store cannot be asked',
    { store: silent('E_STORE_FAILED') },
    'store',
    'store-failed',
    'broken',
    /E_STORE_FAILED/,
  ],

  [
    'a table is damaged',
    lakeTable({ problem: new EngineError('E_LOG_GAP', 'stop-table', 'an entry is missing') }),
    'tables',
    'table-damaged',
    'broken',
    /E_LOG_GAP/,
  ],
  [
    'a reader cannot read a table',
    lakeTable({ readerFeatures: ['vacuumProtocolCheck'] }),
    'tables',
    'reader-refuses',
    'broken',
    /readers/,
  ],
  [
    'the key was changed',
    lakeTable({ key: ['number'] }),
    'tables',
    'key-changed',
    'broken',
    /tables\.public\.orders\.key/,
  ],
  [
    'a table is paused',
    lakeTable({ isPaused: true }),
    'tables',
    'table-paused',
    'risk',
    /table resume public\.orders/,
  ],
  [
    'older rows lack a column',
    lakeTable({ incomplete: ['tier'] }),
    'tables',
    'incomplete-columns',
    'risk',
    /new snapshot of public\.orders/,
  ],

  ['the clocks differ', { nowMs: soundSource().server.nowMs - 60_000 }, 'clock', 'clock-skew', 'risk', /NTP/],
]

const FAULTS_OF_PRODUCTION: readonly (readonly [string, Partial<ChainFacts>, check: string, cure: RegExp])[] =
  [
    ['the profile is dev', deployment({ profile: 'dev' }), 'profile', /profile: prod/],
    [
      'the configuration warns',
      deployment({ warnings: ['alluvium.yaml:3: dq.source holds a password'] }),
      'warning',
      /profile: prod/,
    ],
    [
      'a secret file is open to all',
      deployment({ secretFiles: [{ path: '/s', isOpenToAll: true }] }),
      'secret-file',
      /chmod 640 \/s/,
    ],
    [
      'a secret file is missing',
      deployment({ secretFiles: [{ path: '/s', isOpenToAll: null }] }),
      'secret-file',
      /mount it/,
    ],
    ['the lake is a directory', deployment({ lake: 'local' }), 'local-lake', /object store/],
    ['nothing is encrypted', deployment({ storeIsEncrypted: false }), 'encryption', /store\.encryption/],
    [
      'recorded files are read',
      pipeline({ source: { kind: 'files', directory: 'x' } }),
      'file-source',
      /source\.kafka/,
    ],
    ['the brokers let anybody in', inClear({ sasl: null, ssl: {} }), 'no-kafka-login', /sasl/],
    ['nothing is proven', deployment({ schedule: ['row-count'] }), 'no-proof', /dq\.schedule\.checksum/],
    ['no database is named', capture({ connection: null }), 'no-database', /POSTGRES_CONNECTION_STRING/],
    [
      'the database is asked in clear',
      withSource((source) => ({ login: { ...source.login, isEncrypted: false } })),
      'database-in-clear',
      /sslmode=verify-full/,
    ],
    [
      'we are a superuser',
      withSource((source) => ({ login: { ...source.login, isSuperuser: true } })),
      'superuser-here',
      /for the proof/,
    ],
    [
      'the log has no limit',
      readiness({ slotKeepMegabytes: -1 }),
      'unbounded-slot',
      /max_slot_wal_keep_size/,
    ],
    ['topics have one copy', withTopic({ replicas: 1 }), 'replication', /three replicas/],
    [
      'one copy is enough for a write',
      withTopic({ minInSyncReplicas: 1 }),
      'min-insync',
      /min\.insync\.replicas=2/,
    ],
  ]

/** Names of the checks, as the code of doctor writes them. */
function checksInCode(): readonly string[] {
  const directory = resolve(import.meta.dirname, '../../../../src/setup/doctor')
  const texts = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'))
  return texts.flatMap((text) =>
    [...text.matchAll(/\b(?:broken|risk|unknown)\(\s*'([a-z-]+)'/g)].map(([, check]) => check!),
  )
}

describe('doctor', () => {
  test('finds nothing amiss where nothing is, not even by the checklist of production', () => {
    const { hops, firstBroken } = look({}, true)
    expect(hops.flatMap(({ findings }) => findings)).toEqual([])
    expect(firstBroken).toBeNull()
    expect(hops.map(({ state }) => state)).toEqual(hops.map(() => 'ok'))
  })

  test.each(FAULTS)(
    '%s: it is found where it is, with its cure',
    (_, planted, hop, check, severity, cure) => {
      const change =
        check === 'not-captured'
          ? {
              ...planted,
              ...pipeline({
                tables: new Map([
                  ...soundChain().pipeline.tables,
                  [
                    'public.items',
                    {
                      ...soundChain().pipeline.tableDefaults,
                      name: 'public.items',
                      topics: ['shop.public.orders'],
                    },
                  ],
                ]),
              }),
              ...withTopic({ feeds: ['public.orders', 'public.items'] }),
            }
          : planted
      const found = look(change)
        .hops.flatMap(({ findings }) => findings)
        .filter((finding) => finding.check === check)
      expect(found).toContainEqual(
        expect.objectContaining({ hop, severity, cure: expect.stringMatching(cure) }),
      )
    },
  )

  test('plants faults enough, and each check is found by one of them', () => {
    expect(new Set(FAULTS.map(([, , , check]) => check)).size).toBeGreaterThan(60)
    expect(checksInCode().length).toBeGreaterThan(75)
    const planted = new Set([
      ...FAULTS.map(([, , , check]) => check),
      ...FAULTS_OF_PRODUCTION.map(([, , check]) => check),
    ])
    expect(checksInCode().filter((check) => !planted.has(check))).toEqual([])
  })

  test('its cures call commands and options that there are', () => {
    const cures = FAULTS.flatMap(([, planted]) =>
      look(planted, true).hops.flatMap(({ findings }) => findings),
    )
    expect(unknownCalls(cures.map(({ cure }) => cure).join('\n'))).toEqual([])
  })

  test('the first broken hop in the way of the data comes first', () => {
    const both = {
      ...withSource(() => ({ publication: null })),
      ...withConnector({ status: null, config: null }),
    }
    expect(look(both).firstBroken).toMatchObject({ hop: 'publication', check: 'no-publication' })
    expect(look({ ...both, ...readiness({ walLevel: 'minimal' }) }).firstBroken).toMatchObject({
      hop: 'server',
    })
  })

  test('what nothing names is not looked at', () => {
    const { hops } = look({ connector: { kind: 'unnamed' }, source: { kind: 'unnamed' } })
    const skipped = hops.filter(({ state }) => state === 'skipped').map(({ hop }) => hop)
    expect(skipped).toEqual(['server', 'rights', 'publication', 'slot', 'connector', 'clock'])
  })

  test('it says what would have to be named, or what did not answer', () => {
    const why = (change: Partial<ChainFacts>) =>
      Object.fromEntries(look(change).hops.map(({ hop, skipped }) => [hop, skipped]))
    const unnamed = why({ connector: { kind: 'unnamed' }, source: { kind: 'unnamed' } })
    expect(unnamed).toMatchObject({
      slot: 'no database is named (POSTGRES_CONNECTION_STRING)',
      connector: 'no Kafka Connect is named (connector.url)',
      store: null,
    })
    const dark = { source: silent('E_POSTGRES_UNREACHABLE'), topics: silent('E_KAFKA_UNREACHABLE') }
    expect(why({ ...dark, group: { kind: 'unnamed' } })).toMatchObject({
      server: null,
      slot: 'the database did not answer',
      group: 'the brokers did not answer',
    })
  })

  test('what could not be told is told as that', () => {
    const [finding] = look({ tables: silent('E_SOMETHING_ELSE') }).hops.find(
      ({ hop }) => hop === 'tables',
    )!.findings
    expect(finding).toMatchObject({ severity: 'unknown' })
  })
})

describe('doctor --prod', () => {
  const at = (finding: object) => (change: Partial<ChainFacts>) =>
    expect(look(change, true).hops.flatMap(({ findings }) => findings)).toContainEqual(
      expect.objectContaining(finding),
    )

  test.each(FAULTS_OF_PRODUCTION)('%s', (_, change, check, cure) => {
    at({ check, cure: expect.stringMatching(cure) })(change)
    const dev = look(change).hops.flatMap(({ findings }) => findings)
    expect(dev.filter((finding) => finding.check === check)).toEqual([])
  })
})
