import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../../src/config/parse-config.ts'

function parse(pipeline: string, variables: Record<string, string> = {}, rest = '') {
  const text = `lake: ./lake\n${rest}pipelines:\n  shop:\n    source: { kafka: { brokers: [127.0.0.1:9092], topics: ["a.b.public.*"] } }\n${pipeline}`
  return parseConfig(text, 'alluvium.yaml', (name) => variables[name])
}

const upstream = (pipeline: string, variables?: Record<string, string>) =>
  parse(pipeline, variables).upstreams.get('shop')!

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'E_CONFIG', remedy: 'stop', message: expect.stringMatching(message) })

describe('what stands before the topics', () => {
  test('has defaults for all but the connection', () => {
    const { postgres, connector } = upstream('    tables: { public.orders: {} }\n')
    expect(postgres).toMatchObject({
      connection: null,
      publication: 'redpanda_cdc_publication',
      slot: 'redpanda_cdc_slot',
      schema: 'public',
      tables: ['public.orders'],
      heartbeat: 'alluvium.heartbeat',
    })
    expect(postgres.exclude).toContain('_prisma_migrations')
    expect(connector).toMatchObject({ urls: [], name: 'shop', kind: 'postgres', topicPrefix: 'a.b' })
  })

  test('takes tables with and without a schema, as a list, as one text, or all', () => {
    const tables = (text: string) =>
      upstream(`    postgres: { schema: app, tables: ${text} }\n`).postgres.tables
    expect(tables('[orders, public.customers]')).toEqual(['app.orders', 'public.customers'])
    expect(tables('"orders, order"')).toEqual(['app.orders', 'app.order'])
    expect(tables('"*"')).toBe('*')
    expect(tables('[]')).toEqual([])
  })

  test.each([
    ['postgres: { slot: Shop-1 }', /slot: expected lower-case letters, digits and "_"/],
    [`postgres: { publication: "a'; drop table x" }`, /publication: expected lower-case/],
    ['postgres: { heartbeat: beat }', /heartbeat: name a table as schema\.table/],
    ['connector: { url: "http://u:p@connect:8083" }', /url.*without a login/],
    ['connector: { username: u }', /`username` and `password` belong together/],
    ['connector: { secrets: "${HOME:x} y" }', /secrets: expected a provider/],
    ['connector: { topicPrefix: "a b" }', /topicPrefix: expected letters/],
    ['postgres: { walDisk: huge }', /walDisk: expected a size/],
  ])('refuses %s', (settings, message) => {
    expect(() => parse(`    ${settings}\n`)).toThrow(refusal(message))
  })
})

describe('the variables of existing deployments', () => {
  test.each([
    ['POSTGRES_CDC_PUBLICATION', 'pub', { publication: 'pub' }],
    ['POSTGRES_CDC_SLOT', 'slot_1', { slot: 'slot_1' }],
    ['POSTGRES_CDC_SCHEMA', 'app', { schema: 'app' }],
    ['POSTGRES_CDC_TABLES', 'customers, app.orders', { tables: ['public.customers', 'app.orders'] }],
    ['POSTGRES_CDC_TABLES', '*', { tables: '*' }],
    ['POSTGRES_CDC_TABLES_JSON', '["customers","order"]', { tables: ['public.customers', 'public.order'] }],
  ])('%s=%s stands above the file', (name, value, expected) => {
    const file = '    postgres: { publication: a, slot: b, schema: public, tables: [c] }\n'
    expect(upstream(file, { [name]: value }).postgres).toMatchObject(expected)
  })

  test.each([
    ['POSTGRES_CDC_SLOT', 'Shop-1'],
    ['POSTGRES_CDC_PUBLICATION', 'a b'],
    ['POSTGRES_CDC_TABLES_JSON', '["a", 1]'],
  ])('%s=%s is refused by name', (name, value) => {
    expect(() => upstream('', { [name]: value })).toThrow(refusal(new RegExp(`the variable ${name} must`)))
  })

  test.each([
    [{ POSTGRES_CONNECTION_STRING: 'postgres://a/x', POSTGRES_CDC_DSN: 'postgres://b/x' }, 'postgres://a/x'],
    [{ POSTGRES_CDC_DSN: 'postgres://b/x?sslmode=disable' }, 'postgres://b/x?sslmode=disable'],
    [{ PGHOST: 'db', PG_PORT: '6432', PGUSER: 'u' }, 'postgresql://u@db:6432/postgres'],
  ])('%j names the database', (variables, expected) => {
    expect(upstream('', variables as Record<string, string>).postgres.connection?.reveal()).toBe(expected)
  })

  test('of several databases, each keeps its own', () => {
    const second = '  other:\n    source: { files: x }\n    tablePath: "o/{schema}/{table}"\n'
    const own = '    postgres: { connection: "${OWN}" }\n'
    const { upstreams } = parse(own + second, {
      OWN: 'postgres://own/x',
      POSTGRES_CDC_DSN: 'postgres://env/x',
    })
    expect(upstreams.get('shop')!.postgres.connection?.reveal()).toBe('postgres://own/x')
    expect(upstreams.get('other')!.postgres.connection?.reveal()).toBe('postgres://env/x')
  })
})

describe('profiles', () => {
  const far = 'source: { kafka: { brokers: [kafka:9092], topics: [t] } }'
  type Case = readonly [what: string, text: string, key: string, variables: Readonly<Record<string, string>>]
  const cases: readonly Case[] = [
    ['a broker without TLS', `pipelines: { p: { ${far} } }`, 'pipelines.p.source.kafka.brokers', {}],
    ['a store in clear', 'store: { endpoint: "http://minio:9000" }\npipelines: {}', 'store.endpoint', {}],
    [
      'a password in the file',
      'dq: { source: "postgres://u:pw@localhost/x" }\npipelines: {}',
      'dq.source',
      {},
    ],
    [
      'a database in clear',
      'pipelines: { p: { source: { files: x } } }',
      'dq.source',
      { POSTGRES_CDC_DSN: 'postgres://u:pw@db/x?sslmode=disable' },
    ],
    [
      "Connect's password in the file",
      'pipelines: { p: { source: { files: x }, connector: { username: u, password: pw } } }',
      'pipelines.p.connector.password',
      {},
    ],
    [
      'Connect in clear',
      'pipelines: { p: { source: { files: x }, connector: { url: "http://connect:8083" } } }',
      'pipelines.p.connector.url',
      {},
    ],
  ]

  test.each(cases)('dev warns of %s, prod refuses it', (_, text, key, variables) => {
    const read = (profile: string) =>
      parseConfig(`lake: ./lake\nprofile: ${profile}\n${text}\n`, 'alluvium.yaml', (name) => variables[name])
    expect(read('dev').warnings).toContainEqual(expect.stringContaining(`: ${key} `))
    expect(() => read('prod')).toThrow(
      refusal(new RegExp(`alluvium\\.yaml:?\\d*: ${key}: .*\\(profile: prod\\)`)),
    )
  })

  test('prod takes what is in order', () => {
    const text = `lake: s3://lake/x
profile: prod
store: { endpoint: "https://minio:9000" }
pipelines: { p: { source: { kafka: { brokers: [kafka:9093], topics: [t], ssl: true } } } }
dq: { source: "\${DSN}" }
`
    const config = parseConfig(text, 'alluvium.yaml', (name) =>
      name === 'DSN' ? 'postgres://u:pw@db/x?sslmode=verify-full' : undefined,
    )
    expect(config.warnings).toEqual([])
  })

  test('presets of a batch are rows, and give way to what is said', () => {
    const rows = (batch: string) => parse(`    batch: ${batch}\n`).pipelines[0]!.batch.rows
    expect(['low', 'medium', 'high'].map((preset) => rows(`{ preset: ${preset} }`))).toEqual([50, 500, 5000])
    expect(rows('{ preset: high, rows: 7 }')).toBe(7)
  })
})
