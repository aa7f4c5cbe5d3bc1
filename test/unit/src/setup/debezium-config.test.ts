import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { DebeziumConfigBuilder, type PostgresConnectorOptions } from '../../../../src/index.ts'

const OPTIONS: PostgresConnectorOptions = {
  connectorName: 'postgres-connector',
  databaseHostname: 'localhost',
  databasePort: 5432,
  databaseUser: 'cdcuser',
  databasePassword: '${env:CDC_PASSWORD}',
  databaseName: 'cdcdb',
  tableIncludeList: ['public.customers', 'public.orders'],
}
const build = (more: Partial<PostgresConnectorOptions> = {}) =>
  new DebeziumConfigBuilder({ ...OPTIONS, ...more }).build().config

describe('DebeziumConfigBuilder', () => {
  test('builds a connector whose topics can be read exactly', () => {
    expect(new DebeziumConfigBuilder(OPTIONS).build()).toEqual({
      name: 'postgres-connector',
      config: {
        'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
        'tasks.max': '1',
        'plugin.name': 'pgoutput',
        'database.hostname': 'localhost',
        'database.port': '5432',
        'database.user': 'cdcuser',
        'database.password': '${env:CDC_PASSWORD}',
        'database.dbname': 'cdcdb',
        'topic.prefix': 'postgres-connector',
        'slot.name': 'redpanda_cdc_slot',
        'slot.drop.on.stop': 'false',
        'publication.name': 'redpanda_cdc_publication',
        'publication.autocreate.mode': 'disabled',
        'publish.via.partition.root': 'true',
        'table.include.list': 'public\\.customers,public\\.orders',
        'snapshot.mode': 'initial',
        'skipped.operations': 'none',
        'tombstones.on.delete': 'true',
        'heartbeat.interval.ms': '10000',
        'heartbeat.action.query': 'UPDATE "alluvium"."heartbeat" SET beat_at = now()',
        'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
        'key.converter.schemas.enable': 'true',
        'key.converter.replace.null.with.default': 'false',
        'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
        'value.converter.schemas.enable': 'true',
        'value.converter.replace.null.with.default': 'false',
        'topic.creation.default.partitions': '3',
        'topic.creation.default.replication.factor': '1',
      },
    })
  })

  test('its JSON is what it builds', () => {
    const builder = new DebeziumConfigBuilder(OPTIONS)
    expect(JSON.parse(builder.toJson())).toEqual(builder.build())
  })

  test('names stand for themselves alone in patterns', () => {
    const list = build({ tableIncludeList: ['a.b+c', 'x.y,z'] })['table.include.list']!
    expect(list).toBe('a\\.b\\+c,x\\.y\\,z')
    expect('a.b+c').toMatch(new RegExp(`^${list.split(/(?<!\\),/)[0]}$`))
    expect('a.bbc').not.toMatch(new RegExp(`^${list.split(/(?<!\\),/)[0]}$`))
  })

  test('without a list it takes all tables but those of migration tools and its own heartbeat', () => {
    const { tableIncludeList: _, ...all } = OPTIONS
    const { config } = new DebeziumConfigBuilder(all).build()
    const patterns = config['table.exclude.list']!.split(',')
    const isExcluded = (table: string) => patterns.some((each) => new RegExp(`^${each}$`).test(table))
    expect(
      ['app._prisma_migrations', 'public.flyway_schema_history', 'alluvium.heartbeat'].map(isExcluded),
    ).toEqual([true, true, true])
    expect(['public.migrations_of_birds', 'alluvium.heartbeats'].map(isExcluded)).toEqual([false, false])
    expect(config).not.toHaveProperty('table.include.list')
  })

  test('keeps columns out that the publication does not send', () => {
    const columns = new Map([['public.orders', ['id', 'total']]])
    expect(build({ columns })['column.include.list']).toBe(
      'public\\.customers\\..*,public\\.orders\\.(id|total)',
    )
  })

  test('gives topics without keys one partition', () => {
    expect(build({ keylessTables: ['public.orders'], topicPrefix: 'shop' })).toMatchObject({
      'topic.creation.groups': 'keyless',
      'topic.creation.keyless.include': 'shop\\.public\\.orders',
      'topic.creation.keyless.partitions': '1',
    })
  })

  test('flattens when asked to, with all that a reader needs', () => {
    expect(build({ unwrap: true })).toMatchObject({
      transforms: 'unwrap',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone',
      'transforms.unwrap.add.fields': expect.stringMatching(/\bop\b.*\blsn\b.*source\.sequence/),
    })
  })

  test('takes sizes, and lets further properties stand above', () => {
    expect(
      build({
        snapshotFetchSize: 2000,
        maxBatchSize: 2048,
        maxQueueSize: 8192,
        config: { 'snapshot.mode': 'no_data' },
      }),
    ).toMatchObject({
      'snapshot.fetch.size': '2000',
      'max.batch.size': '2048',
      'max.queue.size': '8192',
      'snapshot.mode': 'no_data',
    })
  })

  test('builds one for MongoDB', () => {
    const { config } = new DebeziumConfigBuilder({
      kind: 'mongodb',
      connectorName: 'mongo',
      connectionString: '${env:MONGODB_CONNECTION_STRING}',
      collectionIncludeList: ['app.logs'],
    }).build()
    expect(config).toMatchObject({
      'connector.class': 'io.debezium.connector.mongodb.MongoDbConnector',
      'mongodb.connection.string': '${env:MONGODB_CONNECTION_STRING}',
      'collection.include.list': 'app\\.logs',
      'capture.mode': 'change_streams_update_full',
    })
  })

  test.each<[Partial<PostgresConnectorOptions>, RegExp]>([
    [{ connectorName: '' }, /no name/],
    [{ databaseHostname: ' ' }, /`databaseHostname` is empty/],
    [{ databaseUser: '' }, /`databaseUser` is empty/],
    [{ databaseName: '' }, /`databaseName` is empty/],
    [{ databasePassword: '' }, /`databasePassword` is empty.*\$\{env:/],
    [{ databasePort: 99_999 }, /is no port/],
    [{ topicPrefix: 'a b' }, /cannot begin a topic/],
    [{ slotName: 'Shop-1' }, /lower-case/],
    [{ slotName: 'x'.repeat(64) }, /at most 63/],
    [{ publicationName: 'a b' }, /`publicationName`/],
    [{ tableIncludeList: [] }, /is empty: name tables/],
    [{ tableIncludeList: ['customers'] }, /name tables as schema\.table: customers/],
    [{ tableIncludeList: ['a.b', 'a.b'] }, /names a table twice: a\.b/],
    [{ tableIncludeList: ['alluvium.heartbeat'] }, /is the heartbeat/],
    [{ columns: new Map([['public.others', ['id']]]) }, /not captured: public\.others/],
    [{ snapshotMode: 'never' }, /it is called no_data now/],
    [{ snapshotMode: 'sometimes' }, /choose one of initial,/],
    [{ maxBatchSize: 10, maxQueueSize: 10 }, /must be above/],
    [{ unwrap: true, config: { transforms: 'mine' } }, /leave one of them out/],
  ])('refuses %j and says the cure', (more, cure) => {
    expect(() => build(more)).toThrow(
      expect.objectContaining({ code: 'E_CONNECTOR', remedy: 'usage', message: expect.stringMatching(cure) }),
    )
  })

  test('names every fault', () => {
    expect(
      new DebeziumConfigBuilder({ ...OPTIONS, slotName: 'A', databaseUser: '' }).validate(),
    ).toHaveLength(2)
  })

  test('a password in clear is built in and printed nowhere else', () => {
    const builder = new DebeziumConfigBuilder({ ...OPTIONS, databasePassword: 'canary' })
    expect(builder.build().config['database.password']).toBe('canary')
    expect(
      JSON.stringify(builder.properties()) + inspect(builder, { depth: 9, showHidden: true }),
    ).not.toContain('canary')
  })
})
