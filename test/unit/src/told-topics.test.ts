import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../support/cli-run.ts'
import { temporaryDirectory } from '../../support/lake-of-recording.ts'

const directory = temporaryDirectory()
afterAll(() => rmSync(directory, { recursive: true, force: true }))

type Row = Readonly<Record<string, unknown>>

/** A change of a row, told as a connector with schemas off does. */
interface Told {
  readonly op: 'r' | 'c' | 'u' | 'd'
  /** `schema.table`. */
  readonly table: string
  readonly key?: Row
  readonly row: Row
}

let runs = 0

/** A deployment on recorded topics: what its configuration says beside where they are, and what they tell. */
class Deployment {
  readonly #home = join(directory, `deployment-${runs++}`)
  readonly lake = join(this.#home, 'lake')
  readonly config = join(this.#home, 'alluvium.yaml')
  #lsn = 1000

  constructor(pipelines: Readonly<Record<string, string>>) {
    for (const name of Object.keys(pipelines)) mkdirSync(join(this.#home, name), { recursive: true })
    const sections = Object.entries(pipelines).map(
      ([name, rest]) => `  ${name}:\n    source: { files: ${join(this.#home, name)} }\n    ${rest}\n`,
    )
    writeFileSync(this.config, `lake: ${this.lake}\npipelines:\n${sections.join('')}`)
  }

  topic(name: string, told: readonly Told[], pipeline = 'shop'): void {
    const lines = told.map(({ op, table, key, row }, offset) => {
      const [schema, bare] = table.split('.')
      const lsn = this.#lsn++
      const source = {
        ...{
          version: '3.7.0.Final',
          connector: 'postgresql',
          name: pipeline,
          db: 'app',
          schema,
          table: bare,
        },
        ...{
          snapshot: op === 'r' ? 'true' : 'false',
          sequence: `["${lsn}","${lsn}"]`,
          lsn,
          txId: lsn,
          ts_ms: 1,
        },
      }
      const images = op === 'd' ? { before: row, after: null } : { before: null, after: row }
      const value = JSON.stringify({ ...images, source, op, ts_ms: 2 })
      const at = { topic: name, partition: 0, offset, timestamp: 3, timestampType: 'CreateTime' }
      return JSON.stringify({ ...at, key: JSON.stringify(key ?? { id: row['id'] }), value, headers: [] })
    })
    writeFileSync(join(this.#home, pipeline, `${name}.jsonl`), `${lines.join('\n')}\n`)
  }

  async ingest(): Promise<Readonly<Record<string, number>>> {
    const state = join(this.#home, 'state')
    const run = await runCommand(['ingest', '-c', this.config, '--until-end', '--json', '--state', state], {})
    expect([run.exitCode, run.stderr]).toEqual([0, ''])
    const reports = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const tables: { name: string; rows: number }[] = reports.flatMap((report) => report.tables)
    return Object.fromEntries(tables.map(({ name, rows }) => [name, rows]))
  }

  async rows(table: string): Promise<readonly Row[]> {
    const { stdout } = await runCommand(['table', 'head', table, '-c', this.config, '--json'], {})
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
}

describe('a scoring service, with schemas off and topics that name no schema', () => {
  const deployment = new Deployment({
    eligibility: `tables:
      eligibility.eligibility_snapshots:
        topics: ["warehouse-to-citizen-cdc.*"]
        columns: { id: bigint, family_id: uuid, scheme_code: text, eligibility_score: "numeric(5,2)", confidence_score: "numeric(3,2)" }
`,
  })

  test('has its decimals to the digit and its ids as text, in a table that is no snapshot', async () => {
    const row = { id: 1, family_id: '7d444840-9dc0-11d1-b245-5ffdce74fad2', scheme_code: 'PMAY' }
    // Xw== is 0x5f, 95: of scale 2.
    const told = { ...row, eligibility_score: 'Xw==', confidence_score: 'Wg==' }
    const table = 'eligibility.eligibility_snapshots'
    deployment.topic(
      'warehouse-to-citizen-cdc.eligibility_snapshots',
      [{ op: 'c', table, row: told }],
      'eligibility',
    )
    expect(await deployment.ingest()).toEqual({ [table]: 1 })
    expect(await deployment.rows(table)).toEqual([
      { ...row, eligibility_score: '0.95', confidence_score: '0.90' },
    ])
  })
})

describe('an application of many tables', () => {
  const TABLES = [
    ...[
      'users',
      'user_profiles',
      'merchants',
      'products',
      'orders',
      'order_items',
      'stokvels',
      'stokvel_members',
    ],
    ...['subscription_plans', 'user_subscriptions', 'monitors', 'mobile_tellings', 'sponsors'],
  ].map((name) => `public.${name}`)

  test('has each in a table of its own, by its own contract', async () => {
    const contracts = TABLES.map((name) => `${name}: { columns: { id: integer, name: text } }`)
    const deployment = new Deployment({ app: `tables: { ${contracts.join(', ')} }` })
    for (const [i, table] of TABLES.entries()) {
      const told = Array.from(
        { length: i + 1 },
        (_, id): Told => ({ op: 'c', table, row: { id, name: table } }),
      )
      deployment.topic(`app.${table}`, told, 'app')
    }
    const rows = await deployment.ingest()
    expect(rows).toEqual(Object.fromEntries(TABLES.map((table, i) => [table, i + 1])))
    expect(await deployment.rows('public.stokvels')).toHaveLength(7)
  })

  test('may have all of them on one topic', async () => {
    const deployment = new Deployment({ app: 'tables: { "*": { topics: ["cdc_events"] } }' })
    const told = TABLES.map((table): Told => ({ op: 'c', table, row: { id: 1, name: table } }))
    deployment.topic('cdc_events', told, 'app')
    expect(await deployment.ingest()).toEqual(Object.fromEntries(TABLES.map((table) => [table, 1])))
  })
})

describe('names', () => {
  test('of topics may have a prefix with dots: the table is what the source block says', async () => {
    const deployment = new Deployment({ shop: 'tables: {}' })
    deployment.topic('cdc.postgres.public.customers', [
      { op: 'c', table: 'public.customers', row: { id: 1 } },
    ])
    expect(await deployment.ingest()).toEqual({ 'public.customers': 1 })
  })

  test.each(['order', 'snapshot', 'first', 'last', 'Mixed Case', 'ключ', 'a_b_c'])(
    'of a table may be %s',
    async (name) => {
      const deployment = new Deployment({ shop: 'tables: {}' })
      const table = `public.${name}`
      // A topic cannot hold each of these letters: Debezium puts `_` there.
      deployment.topic(`shop.${table.replaceAll(/[^\w.]/g, '_')}`, [
        { op: 'r', table, row: { id: 1 } },
        { op: 'u', table, row: { id: 1 } },
      ])
      expect(await deployment.ingest()).toEqual({ [table]: 1 })
      expect(await deployment.rows(table)).toEqual([{ id: 1 }])
    },
  )
})

test('a stream without a snapshot begins with whatever comes first', async () => {
  const table = 'public.accounts'
  const deployment = new Deployment({ shop: 'tables: {}' })
  deployment.topic(`shop.${table}`, [
    { op: 'u', table, row: { id: 1, name: 'changed' } },
    { op: 'd', table, row: { id: 2, name: null } },
    { op: 'u', table, row: { id: 3, name: 'too' } },
    { op: 'd', table, row: { id: 3, name: null } },
  ])
  expect(await deployment.ingest()).toEqual({ [table]: 1 })
  expect(await deployment.rows(table)).toEqual([{ id: 1, name: 'changed' }])
})

test('values that a wrong mapping mixed up are right once the source says so', async () => {
  const table = 'app.company'
  const deployment = new Deployment({ shop: 'tables: {}' })
  deployment.topic(`shop.${table}`, [
    { op: 'c', table, row: { id: 1, name: null, description: 'Acme' } },
    { op: 'u', table, row: { id: 1, name: 'Acme', description: null } },
  ])
  await deployment.ingest()
  expect(await deployment.rows(table)).toEqual([{ id: 1, name: 'Acme', description: null }])
})

test('several applications are several pipelines, and one without tables is idle', async () => {
  const deployment = new Deployment({ typeorm: 'tables: {}', sqlmodel: 'tables: {}', prisma: 'tables: {}' })
  deployment.topic(
    'typeorm.public.customer',
    [{ op: 'c', table: 'public.customer', row: { id: 1 } }],
    'typeorm',
  )
  deployment.topic(
    'sqlmodel.public.orderitem',
    [{ op: 'c', table: 'public.orderitem', row: { id: 1 } }],
    'sqlmodel',
  )
  expect(await deployment.ingest()).toEqual({ 'public.customer': 1, 'public.orderitem': 1 })
})
