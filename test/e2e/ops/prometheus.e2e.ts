import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WatchedEngine } from './watched-engine.ts'

const DEPLOY = resolve(import.meta.dirname, '../../../deploy')
const PROMETHEUS = `http://127.0.0.1:${process.env['PROMETHEUS_PORT']}`
const DATABASE = `postgres://postgres@127.0.0.1:${process.env['POSTGRES_PORT']}/postgres`

interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(`${PROMETHEUS}/api/v1/${path}`)
  const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string }
  expect([path, status, error]).toEqual([path, 'success', undefined])
  return data
}

async function query(expr: string): Promise<readonly Series[]> {
  return (await ask<{ result: Series[] }>(`query?query=${encodeURIComponent(expr)}`)).result
}

let engine: WatchedEngine

beforeAll(async () => {
  const database = new Client({ connectionString: DATABASE })
  await database.connect()
  await database.query(`select pg_create_logical_replication_slot('alluvium_ops', 'pgoutput')`)
  await database.end()
  engine = new WatchedEngine(Number(process.env['METRICS_PORT']), DATABASE)
  await engine.ready()
  // Long enough for rates, for the first look at source and slots, and for a merge or two.
  await after(25_000)
})
afterAll(() => engine.end())

describe.each(['cdc-overview', 'postgres-cdc'])('the dashboard %s on a real run', (uid) => {
  interface Panel {
    readonly title: string
    readonly targets?: readonly { readonly expr: string }[]
  }
  const board = JSON.parse(readFileSync(join(DEPLOY, `grafana/dashboards/${uid}.json`), 'utf8'))
  const panels = (board.panels as Panel[]).filter(({ targets }) => targets !== undefined)

  test.each(panels.map(({ title, targets }) => [title, targets!] as const))(
    'draws something in "%s"',
    async (_, targets) => {
      for (const { expr } of targets) {
        const series = await query(expr.replaceAll(/\$(?:pipeline|table)/g, '.*'))
        expect([expr, series.length]).toEqual([expr, expect.any(Number)])
        expect([expr, series.some(({ value }) => Number.isFinite(Number(value[1])))]).toEqual([expr, true])
      }
    },
  )

  test('finds values for its variables', async () => {
    for (const { definition } of board.templating.list.slice(1)) {
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(definition)!
      const match = encodeURIComponent(selector!.replaceAll('$pipeline', '.*'))
      expect((await ask<string[]>(`label/${label}/values?match[]=${match}`)).length).toBeGreaterThan(0)
    }
  })
})

describe('the alert rules on a real run', () => {
  /** They come with a proof against a source, which this run does not make. */
  const OF_PROOFS = /cdc_dq_\w+/

  interface Rule {
    readonly name: string
    readonly query: string
    readonly health: string
    readonly state?: string
  }
  const rulesOf = async () =>
    (await ask<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap(({ rules }) => rules)

  test('are all evaluated without an error', async () => {
    const rules = await rulesOf()
    expect(rules.length).toBeGreaterThan(25)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
  })

  test('ask for series that are there', async () => {
    for (const { name, query: expr } of await rulesOf()) {
      if (OF_PROOFS.test(expr)) continue
      const metrics = expr.match(/\b(?:cdc|postgres_cdc|process|nodejs)[_:][a-z0-9_:]+/g) ?? ['up']
      for (const metric of metrics)
        expect([name, metric, (await query(metric)).length > 0]).toEqual([name, metric, true])
    }
  })

  test('tell of the one record that could not be read, and of nothing that pages', async () => {
    const firing = (await rulesOf()).filter(({ state }) => state === 'firing').map(({ name }) => name)
    expect(firing).toContain('DlqGrowth')
    expect(firing.filter((name) => name !== 'DlqGrowth')).toEqual([])
  })
})

test('when the topics rest, every event was counted once, by its operation, and nothing lags', async () => {
  await engine.hush()
  const { written } = engine.topics
  const names: Readonly<Record<string, string>> = { c: 'insert', u: 'update', d: 'delete' }
  const expected = Object.fromEntries(
    [...written].map(([name, count]) => {
      const [table, op] = name.split(' ')
      return [`${table} ${names[op!]}`, count]
    }),
  )
  const counted = async () => {
    const series = await query('postgres_cdc_events_processed_total > 0')
    return Object.fromEntries(
      series.map(({ metric, value }) => [`${metric['table']} ${metric['operation']}`, Number(value[1])]),
    )
  }
  await expect.poll(counted, { timeout: 20_000, interval: 500 }).toEqual(expected)
  await expect
    .poll(async () => (await query('max(postgres_cdc_lag_seconds)'))[0]?.value[1], { timeout: 20_000 })
    .toBe('0')
})
