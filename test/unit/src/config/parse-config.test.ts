import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { DEFAULT_CONTRACT } from '../../../../schemas/contract.ts'
import { contractFor } from '../../../../src/config/config.ts'
import { configJsonSchema } from '../../../../src/config/config-json-schema.ts'
import { defaultConfig } from '../../../../src/config/default-config.ts'
import { DEFAULT_FETCH } from '../../../../src/config/kafka-settings.ts'
import { parseConfig } from '../../../../src/config/parse-config.ts'
import { selectPipeline } from '../../../../src/config/select-pipeline.ts'
import { defaultUpstream } from '../../../../src/config/upstream-settings.ts'

const NO_VARIABLES = () => undefined

function parse(text: string, variables: Record<string, string> = {}) {
  return parseConfig(text, 'alluvium.yaml', (name) => variables[name])
}

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'E_CONFIG', remedy: 'stop', message: expect.stringMatching(message) })

const DESIGN = `
lake: s3://lake/delta                 # or ./lake
store: { endpoint: http://127.0.0.1:9000, pathStyle: true }
pipelines:
  postgres-cdc:
    source: { kafka: { brokers: [127.0.0.1:9092], topics: ["shop.public.*"], groupId: alluvium } }
    freshness: 1s
    tables:
      public.customers: { key: [customer_id], readers: [spark, delta-rs, duckdb] }
      "*": {}
dq: { source: "\${POSTGRES_CONNECTION_STRING}", schedule: { row-count: "* * * * *", checksum: "0 3 * * *" } }
http: { listen: 127.0.0.1:9464 }
`

const files = (pipeline: string, rest = '') =>
  `lake: ./lake\n${rest}pipelines:\n  p:\n    source: { files: topics }\n${pipeline}`

describe('parseConfig', () => {
  test('reads the documented example', () => {
    const config = parse(DESIGN, { POSTGRES_CONNECTION_STRING: 'postgres://u:pw@db/shop' })
    expect(config.lake).toEqual({ kind: 's3', location: 's3://lake/delta', bucket: 'lake', prefix: 'delta' })
    expect(config.store).toEqual({ endpoint: 'http://127.0.0.1:9000', pathStyle: true })
    const [pipeline] = config.pipelines
    expect(pipeline).toMatchObject({
      name: 'postgres-cdc',
      source: {
        kind: 'kafka',
        brokers: ['127.0.0.1:9092'],
        topics: ['shop.public.*'],
        groupId: 'alluvium',
        ssl: null,
        sasl: null,
        fetch: DEFAULT_FETCH,
        sessionTimeoutMs: 30_000,
        topicsAgeMs: 30_000,
      },
      batch: { ageMs: 1000 },
    })
    expect(contractFor(pipeline!, 'public.customers')).toEqual({
      ...DEFAULT_CONTRACT,
      name: 'public.customers',
      key: ['customer_id'],
      readers: ['spark', 'delta-rs', 'duckdb'],
    })
    expect(config.dq.schedule).toEqual({ 'row-count': '* * * * *', checksum: '0 3 * * *' })
    expect(config.http.listen).toEqual({ host: '127.0.0.1', port: 9464 })
    expect(config.warnings).toEqual([])
  })

  test('fills in what is not said', () => {
    const config = parse(files(''))
    const pipeline = { ...defaultConfig({ from: 'topics' }).pipelines[0]!, name: 'p' }
    expect(config).toEqual({
      ...defaultConfig({ from: 'topics' }),
      pipelines: [pipeline],
      upstreams: new Map([['p', defaultUpstream(pipeline)]]),
    })
    expect(config.pipelines[0]!.batch.ageMs).toBe(1000)
    expect(
      parse(DESIGN.replace('    freshness: 1s\n', ''), { POSTGRES_CONNECTION_STRING: 'x' }).pipelines[0]!
        .batch.ageMs,
    ).toBe(10_000)
  })

  test('reads durations and sizes', () => {
    const batch = (text: string) => parse(files(`    batch: ${text}\n`)).pipelines[0]!.batch
    expect(batch('{ rows: 10, bytes: 64MB, age: 500ms }')).toEqual({
      rows: 10,
      bytes: 64 * 1024 * 1024,
      ageMs: 500,
    })
    expect(batch('{ age: 2m, bytes: 1000 }')).toMatchObject({ ageMs: 120_000, bytes: 1000 })
    expect(batch('{ age: 1.5s, bytes: 4 KiB }')).toMatchObject({ ageMs: 1500, bytes: 4096 })
  })

  test('does without threads unless some are asked for', () => {
    const workersOf = (pipeline: string) => parse(files(pipeline)).pipelines[0]!.workers
    expect(workersOf('')).toBe(0)
    expect(workersOf('    workers: 2\n')).toBe(2)
    expect(() => workersOf('    workers: -1\n')).toThrow(refusal(/workers/))
  })

  test('a table takes what "*" says where it says nothing itself', () => {
    const tables =
      '    tables:\n      "*": { deletes: soft, schemaChanges: stop }\n      s.a: { deletes: hard }\n      s.b:\n'
    const [pipeline] = parse(files(tables)).pipelines
    expect(contractFor(pipeline!, 's.a')).toMatchObject({
      name: 's.a',
      deletes: 'hard',
      schemaChanges: 'stop',
    })
    expect(contractFor(pipeline!, 's.b')).toMatchObject({ name: 's.b', deletes: 'soft', mode: 'upsert' })
    expect(contractFor(pipeline!, 's.other')).toMatchObject({ name: 's.other', deletes: 'soft' })
  })

  test.each([
    ['lake: ./lake\npipeline: {}\n', /^alluvium\.yaml.*: unknown key "pipeline"; did you mean "pipelines"\?/],
    [
      files('    freshnes: 1s\n'),
      /^alluvium\.yaml:5: pipelines\.p: unknown key "freshnes"; did you mean "freshness"\?/,
    ],
    [
      files('    tables:\n      s.t: { keys: [id] }\n'),
      /alluvium\.yaml:6: pipelines\.p\.tables\."s\.t": .*did you mean "key"\?/,
    ],
    [files('    zzz: 1\n'), /unknown key "zzz"; known here: source, freshness/],
    [
      files('    batch: { rows: many }\n'),
      /alluvium\.yaml:5: pipelines\.p\.batch\.rows: expected number, received string/,
    ],
    [files('    batch: { rows: -1 }\n'), /batch\.rows: .*>0/],
    [files('    batch: { rows: 1.5 }\n'), /batch\.rows: expected int/],
    [files('    batch: { age: 0ms }\n'), /batch\.age: expected a duration such as/],
    [files('    batch: { age: 10 }\n'), /batch\.age: expected string/],
    [files('    batch: { bytes: lots }\n'), /batch\.bytes: expected a size such as 64MB/],
    [files('    batch: { age: 1s }\n    freshness: 1s\n'), /keep one of them/],
    [files('    tables: { customers: {} }\n'), /tables\.customers: name a table as schema\.table/],
    [files('    tables: { s.t: { mode: upsrt } }\n'), /mode: expected one of "upsert"\|"append"/],
    [files('    tables: { s.t: { key: [] } }\n'), /key: must not be empty/],
    [files('    tables: { s.t: { key: [a, a] } }\n'), /key: the same item stands there twice/],
    [files('    tables: { s.t: { deadLetters: { maxShare: 2 } } }\n'), /maxShare/],
    [files('    tables: { s.t: { columns: { total: numerc } } }\n'), /columns\.total: .*numeric/],
    [files('    tables: { s.t: { changeFeed: rows, merge: at-once } }\n'), /changeFeed: .*deletion vectors/],
    [files('    tables: { "*": { merge: at-once }, s.t: { changeFeed: rows } }\n'), /"s\.t"\.changeFeed/],
    [files('    tables: { s.t: { mode: append, deletes: soft } }\n'), /deletes: .*append/],
    [files('', 'http: { listen: "127.0.0.1:99999" }\n'), /http\.listen: .*at most 65535/],
    [files('', 'store: { endpoint: "file:///x" }\n'), /store\.endpoint: expected http/],
    [files('', 'store: { endpoint: "http://key:secret@host" }\n'), /store\.endpoint: .*never from here/],
    [files('', 'store: { encryption: { kind: none } }\n'), /store\.encryption\.kind: .*"AES256"\|"aws:kms"/],
    [files('', 'store: { encryption: { kind: AES256, keyId: k } }\n'), /`keyId` belongs to `kind: aws:kms`/],
    [files('', 'dq: { schedule: { checksum: "nightly" } }\n'), /five cron fields/],
    [files('').replace('./lake', 's3://bad_bucket!/x'), /alluvium\.yaml:1: lake: .*bucket/],
    [files('').replace('./lake', 'gs://bucket/x'), /lake: .*directory .* or an S3 address/],
    [files('').replace('{ files: topics }', '{}'), /name one source/],
    [files('').replace('  p:', '  "a/b":'), /a pipeline is named by/],
    [files('', 'lake: ./other\n'), /alluvium\.yaml:2: .*unique/],
    [files('    tables: !!js/function x\n'), /alluvium\.yaml:5: .*tag/],
    [files('    tables: { s.t: { __proto__: { a: 1 } } }\n'), /unknown key "__proto__"/],
    ['lake: [unclosed\n', /alluvium\.yaml:\d/],
    [
      files('    tablePath: "{tabel}"\n'),
      /alluvium\.yaml:5: pipelines\.p\.tablePath: .*\{schema\}\/\{table\}/,
    ],
    ['just text\n', /expected object/],
    ['', /expected object/],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(refusal(message))
  })

  test('names every fault, not only the first', () => {
    expect(() => parse(files('    batch: { rows: many, bytes: lots }\n'))).toThrow(
      refusal(/batch\.rows: .*; pipelines\.p\.batch\.bytes: /),
    )
  })

  test('refuses one table in two pipelines, unless their paths differ', () => {
    const two = files(
      '    tables: { s.t: {} }\n  q:\n    source: { files: other }\n    tables: { s.t: {} }\n',
    )
    expect(() => parse(two)).toThrow(
      refusal(/pipelines\.q\.tables\."s\.t": the pipeline p writes this table already/),
    )
    expect(parse(`${two}    tablePath: "q/{schema}/{table}"\n`).pipelines).toHaveLength(2)
  })

  test('refuses aliases that multiply', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`),
    ]
    expect(() => parse(bomb.join('\n'))).toThrow(refusal(/aliases/))
  })
})

describe('variables', () => {
  test('are expanded, with defaults in both spellings', () => {
    const text = files('    batch: { rows: "${ROWS:7}", age: "${AGE:-3s}" }\n').replace(
      './lake',
      () => '${ROOT}/$${x}',
    )
    const config = parse(text, { ROOT: '/data' })
    expect(config.lake.location).toBe('/data/${x}')
    expect(config.pipelines[0]!.batch).toMatchObject({ rows: 7, ageMs: 3000 })
    expect(parse(text, { ROOT: '/data', ROWS: '12', AGE: '' }).pipelines[0]!.batch).toMatchObject({
      rows: 12,
      ageMs: 3000,
    })
  })

  test('a list may come out of one variable, with commas or as JSON', () => {
    const text = files('').replace('{ files: topics }', '{ kafka: { brokers: "${B}", topics: "${T}" } }')
    expect(parse(text, { B: 'a:1, b:2', T: '["x.*","y"]' }).pipelines[0]!.source).toMatchObject({
      brokers: ['a:1', 'b:2'],
      topics: ['x.*', 'y'],
    })
  })

  test.each([
    [
      'lake: ${MISSING}\n',
      {},
      /alluvium\.yaml:1: lake: the variable MISSING is not set; set it, or give a default: \$\{MISSING:…\}/,
    ],
    ['lake: ${BAD}\n', { BAD: 'a\nb' }, /the variable BAD holds a line break/],
  ])('refuses %j', (text, variables, message) => {
    expect(() => parse(text, variables as Record<string, string>)).toThrow(refusal(message))
  })

  test('what a variable holds is not expanded again, nor read as YAML', () => {
    const config = parse(files('').replace('./lake', '${A}'), { A: '${B} # { x: 1 }' })
    expect(config.lake.location).toBe('${B} # { x: 1 }')
  })

  test('the names of the environment stand above the file', () => {
    const config = parse(DESIGN, {
      POSTGRES_CONNECTION_STRING: 'postgres://u:pw@db/shop',
      PGSYNC_BATCH_SIZE: '1000',
      PGSYNC_FLUSH_INTERVAL: '5',
      EVENTHUB_NAMESPACE: 'hub',
      POSTGRES_CDC_TOPIC: 'cdc_events',
      POSTGRES_CDC_HTTP_PORT: '4195',
      PGHOST: 'ignored-because-the-string-is-given',
    })
    expect(config.pipelines[0]).toMatchObject({
      batch: { rows: 1000, ageMs: 5000 },
      source: { brokers: ['hub.servicebus.windows.net:9093'], topics: ['cdc_events'] },
    })
    expect(config.http.listen).toEqual({ host: '127.0.0.1', port: 4195 })
    expect(config.dq.source?.reveal()).toBe('postgres://u:pw@db/shop')
    expect(parse(files(''), { POSTGRES_CDC_HTTP_ADDR: '0.0.0.0:4195' }).http.listen).toEqual({
      host: '0.0.0.0',
      port: 4195,
    })
  })

  test.each(['PG', 'PG_'])('a source database may be named by %sHOST and its companions', (prefix) => {
    const variables = {
      [`${prefix}HOST`]: 'db',
      [`${prefix}PORT`]: '6432',
      [`${prefix}USER`]: 'a@b',
      [`${prefix}PASSWORD`]: 'p/w',
      [`${prefix}DATABASE`]: 'shop',
    }
    expect(parse(files(''), variables).dq.source?.reveal()).toBe('postgresql://a%40b:p%2Fw@db:6432/shop')
  })

  test.each([
    ['PGSYNC_BATCH_SIZE', '0'],
    ['PGSYNC_FLUSH_INTERVAL', 'soon'],
    ['POSTGRES_CDC_HTTP_ADDR', 'x:99999'],
    ['POSTGRES_CDC_HTTP_PORT', 'http'],
  ])('%s=%s is refused by name', (name, value) => {
    expect(() => parse(files(''), { [name]: value })).toThrow(
      refusal(new RegExp(`the variable ${name} must be`)),
    )
  })
})

describe('secrets', () => {
  test('no rendering of a configuration shows one', () => {
    const config = parse(DESIGN, { POSTGRES_CONNECTION_STRING: 'postgres://u:canary-7f3a@db/shop' })
    for (const rendering of [
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      `${config.dq.source}`,
    ]) {
      expect(rendering).not.toContain('canary')
      expect(rendering).toContain('[redacted]')
    }
  })

  test('a password written into the file is warned of', () => {
    expect(parse(files('', 'dq: { source: "postgres://u:pw@db/shop" }\n')).warnings).toEqual([
      expect.stringMatching(/alluvium\.yaml:2: .*password/),
    ])
  })

  test('so is a token for metrics, and one that no header can hold is refused without being repeated', () => {
    const token = (text: string) => files('', `http: { metricsToken: "${text}" }\n`)
    expect(parse(token('abc')).warnings).toEqual([
      expect.stringMatching(/http\.metricsToken .*METRICS_TOKEN/),
    ])
    const fromVariable = parse(token('${METRICS_TOKEN}'), { METRICS_TOKEN: 'abc' })
    expect([fromVariable.warnings, fromVariable.http.metricsToken?.reveal()]).toEqual([[], 'abc'])
    expect(() => parse(token('canary with a space'))).toThrow(/http\.metricsToken: (?!.*canary)/)
  })
})

describe('the store', () => {
  const store = (settings: string) => parse(files('', `store: ${settings}\n`))

  test('is told how to encrypt', () => {
    expect(store('{ encryption: { kind: aws:kms, keyId: alias/lake } }').store).toEqual({
      pathStyle: false,
      encryption: { kind: 'aws:kms', keyId: 'alias/lake' },
    })
  })

  test('is spoken to in clear when that is asked for, with a warning beyond this machine', () => {
    for (const host of ['127.0.0.1:9000', 'localhost', '[::1]:9000']) {
      expect(store(`{ endpoint: "http://${host}" }`).warnings, host).toEqual([])
    }
    expect(store('{ endpoint: "https://minio.example:9000" }').warnings).toEqual([])
    expect(store('{ endpoint: "http://minio.example:9000" }').warnings).toEqual([
      expect.stringMatching(/alluvium\.yaml:2: store\.endpoint is http.*https/),
    ])
  })
})

describe('selectPipeline', () => {
  const config = parse(files('  q:\n    source: { files: other }\n'))

  test('takes the only one, or the one that is named', () => {
    expect(selectPipeline(parse(files('')), {}).name).toBe('p')
    expect(selectPipeline(config, { name: 'q', from: 'dir' })).toMatchObject({
      name: 'q',
      source: { kind: 'files', directory: 'dir' },
    })
  })

  test('says what can be chosen when it is not clear', () => {
    const unclear = (message: RegExp) =>
      expect.objectContaining({
        code: 'E_PIPELINE',
        remedy: 'usage',
        message: expect.stringMatching(message),
      })
    expect(() => selectPipeline(config, {})).toThrow(unclear(/name one of the pipelines: p, q/))
    expect(() => selectPipeline(config, { name: 'x' })).toThrow(unclear(/no pipeline x; known: p, q/))
    expect(() => selectPipeline(parse('lake: ./lake\npipelines: {}\n'), {})).toThrow(
      unclear(/has no pipeline/),
    )
  })
})

test('the JSON schema for editors knows the keys of a table', () => {
  expect(JSON.stringify(configJsonSchema())).toContain('"changeFeed"')
})

test('a run without a configuration is pipeline `default`', () => {
  expect(defaultConfig({ from: 'dir', lake: '/data/lake' })).toMatchObject({
    lake: { kind: 'local', directory: '/data/lake' },
    pipelines: [{ name: 'default', source: { kind: 'files', directory: 'dir' } }],
  })
  expect(() => defaultConfig({ from: 'dir', lake: 'az://x/y' })).toThrow(
    expect.objectContaining({ code: 'E_LAKE', remedy: 'usage' }),
  )
  expect(parseConfig(files(''), 'x', NO_VARIABLES).warnings).toEqual([])
})
