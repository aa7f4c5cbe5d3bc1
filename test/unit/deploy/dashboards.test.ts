import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { METRICS, type MetricDefinition } from '../../../src/ops/metric-list.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[]
}

const node = new Registry()
collectDefaultMetrics({ register: node })
const known = new Map<string, MetricDefinition>(Object.entries(METRICS))
const ofNode = new Set((await node.getMetricsAsJSON()).map(({ name }) => name))
const FROM_PROMETHEUS = ['up']
const FROM_RULES = ['cdc:stale:bool']
/** Added by whoever scrapes. */
const TARGET_LABELS = ['instance', 'job']

/** Names in an expression that can only be metrics, each with the labels that are asked of it. */
function metricsIn(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const found = expr.matchAll(/\b((?:postgres_cdc|cdc|nodejs|process)[_:][a-z0-9_:]+|up)\b(?:\{([^}]*)\})?/g)
  return [...found].map(([, name, labels = '']) => ({
    name: name!,
    labels: [...labels.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!),
  }))
}

/** What an expression asks for that the registry does not have. */
function unknownIn(expr: string): string[] {
  const metrics = metricsIn(expr)
  if (metrics.length === 0) return [`no metric in ${expr}`]
  return metrics.flatMap(({ name, labels }) => {
    if ([...FROM_PROMETHEUS, ...FROM_RULES].includes(name) || ofNode.has(name)) return []
    const definition = known.get(name) ?? histogramOf(name)
    if (definition === undefined) return [name]
    const has = [...(definition.labels ?? []), ...TARGET_LABELS, 'le']
    return labels.filter((label) => !has.includes(label)).map((label) => `${name}{${label}}`)
  })
}

function histogramOf(name: string): MetricDefinition | undefined {
  const definition = known.get(name.replace(/_(?:bucket|sum|count)$/, ''))
  return definition?.kind === 'histogram' ? definition : undefined
}

describe.each(['cdc-overview', 'postgres-cdc'])('the dashboard %s', (uid) => {
  const board = JSON.parse(read(`deploy/grafana/dashboards/${uid}.json`))
  const panels: readonly Panel[] = board.panels
  const drawn = panels.filter(({ type }) => type !== 'row')

  test('has what Grafana 11 asks for, and the link that the documents name', () => {
    expect(board).toMatchObject({ id: null, uid, schemaVersion: 39, timezone: 'utc', editable: true })
    const [datasource] = board.templating.list
    expect(datasource).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' })
    const other = uid === 'postgres-cdc' ? 'cdc-overview' : 'postgres-cdc'
    expect(board.links.map(({ url }: { url: string }) => url)).toEqual([`/d/${other}`])
  })

  test('says in words what each panel shows, and takes its data source from the variable', () => {
    for (const { title, description, datasource, targets } of drawn) {
      expect([title, description?.length]).toEqual([title, expect.any(Number)])
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' })
      const ids = targets!.map(({ refId }) => refId)
      expect(new Set(ids).size).toBe(ids.length)
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })

  test('puts no panel over another, or beyond the 24 columns', () => {
    const taken = new Set<string>()
    for (const { title, gridPos } of panels) {
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true])
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false])
          taken.add(`${x} ${y}`)
        }
      }
    }
  })

  test('asks only for metrics and labels that there are', () => {
    const asked = drawn.flatMap(({ targets }) => targets!.map(({ expr }) => expr))
    expect(asked.length).toBeGreaterThan(10)
    expect(asked.flatMap(unknownIn)).toEqual([])
    const variables = board.templating.list
      .slice(1)
      .map(({ definition }: { definition: string }) => definition)
    expect(variables.flatMap((text: string) => unknownIn(text))).toEqual([])
  })
})

describe('the alert rules', () => {
  interface Rule {
    readonly alert?: string
    readonly record?: string
    readonly expr: string
    readonly labels?: { readonly severity: string }
    readonly annotations?: { readonly summary: string }
  }
  const rules: Rule[] = parse(read('deploy/prometheus/alerts.yml')).groups.flatMap(
    ({ rules }: { rules: Rule[] }) => rules,
  )
  const alerts = rules.filter(({ alert }) => alert !== undefined)

  test('ask only for metrics and labels that there are', () => {
    expect(rules.flatMap(({ expr }) => unknownIn(expr))).toEqual([])
    expect(rules.flatMap(({ record }) => record ?? [])).toEqual(FROM_RULES)
  })

  test('say whom they wake and why', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect([alert, labels?.severity]).toEqual([alert, expect.stringMatching(/^(?:page|ticket)$/)])
      expect(annotations?.summary.length).toBeGreaterThan(10)
    }
  })

  test('each have a case of promtool, and a part of the runbook', () => {
    const cases = read('deploy/prometheus/alerts.test.yml')
    const runbook = read('docs/runbook.md')
    const names = alerts.map(({ alert }) => alert!)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !cases.includes(`alertname: ${name}\n`))).toEqual([])
    expect(names.filter((name) => !runbook.includes(`### ${name}\n`))).toEqual([])
    const parts = [...runbook.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!)
    expect(parts.filter((name) => !names.includes(name))).toEqual([])
  })
})

test('an expression that asks for what is not there is found out', () => {
  expect(unknownIn('rate(cdc_nothing_total[5m])')).toEqual(['cdc_nothing_total'])
  expect(unknownIn('cdc_table_stopped{topic="x"}')).toEqual(['cdc_table_stopped{topic}'])
  expect(unknownIn('rate(cdc_commits_total_bucket[5m])')).toEqual(['cdc_commits_total_bucket'])
})
