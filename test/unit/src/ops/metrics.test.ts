import { describe, expect, test } from 'vitest'
import type { BatchCommitted } from '../../../../core/fact.ts'
import type { PastCheck } from '../../../../dq/proof-log.ts'
import { BoundedNames } from '../../../../src/ops/bounded-names.ts'
import { ERROR_TYPES, errorType } from '../../../../src/ops/error-type.ts'
import { METRICS } from '../../../../src/ops/metric-list.ts'
import { PipelineWatch } from '../../../../src/ops/pipeline-watch.ts'
import { ProcessMetrics } from '../../../../src/ops/process-metrics.ts'
import type { PipelineSample } from '../../../../src/pipeline/pipeline.ts'
import { emptyTally } from '../../../../writers/tally.ts'
import { HandClock } from '../../../support/test-ports.ts'
import { pipelineSample, tableSample } from '../../../support/watched-pipeline.ts'

const COMMITTED: BatchCommitted = {
  kind: 'batch-committed',
  table: 'public.t',
  version: 4,
  operations: { r: 0, c: 5, u: 2, d: 1, t: 0 },
  events: 8,
  sizeBytes: 800,
  rows: { inserted: 5, updated: 2, deleted: 1 },
  stale: 0,
  duplicates: 2,
  ambiguousKeyMoves: 0,
  oldestMs: 10_000,
  startedMs: 12_000,
  durationMs: 500,
  phases: { planMs: 100, encodeMs: 100, putMs: 200, commitMs: 100 },
}

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} }

/** Series of the exposition, without comments, by name and labels. */
async function seriesOf(metrics: ProcessMetrics): Promise<Record<string, number>> {
  const lines = (await metrics.registry.text())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
}

class Watched {
  readonly metrics = new ProcessMetrics('1.2.3')
  readonly clock = new HandClock()
  readonly watch: PipelineWatch
  proofs: readonly PastCheck[] = []

  constructor(tables: readonly string[] = ['public.t']) {
    const own = this.metrics.pipeline('shop', tables, this.clock.nowMs())
    this.watch = new PipelineWatch('shop', own, { clock: this.clock, logger: LOGGER })
  }

  /** Looks once, as the first round of `follow` does. */
  async look(sample: PipelineSample): Promise<Record<string, number>> {
    const ended = new AbortController()
    const range = { topic: 'shop.public.t', partition: 0, startOffset: 0n, endOffset: 25n }
    const pipeline = {
      name: 'shop',
      sample: async () => sample,
      partitions: async () => [range],
      slots: async () => [{ name: 'dbz', isActive: false, isLost: false, retainedBytes: 4096 }],
      proofs: async () => this.proofs,
    }
    const following = this.watch.follow(pipeline, ended.signal)
    ended.abort()
    await following
    await this.watch.sample()
    return seriesOf(this.metrics)
  }
}

describe('the exposition', () => {
  test('has the four names that the requirements ask for, with their labels', async () => {
    const { metrics, watch, look } = bound(new Watched())
    watch.observe(COMMITTED)
    const series = await look(pipelineSample({ work: { tables: [tableSample('public.t')] } }))
    expect(series['postgres_cdc_events_processed_total{table="public.t",operation="insert"}']).toBe(5)
    expect(series['postgres_cdc_events_processed_total{table="public.t",operation="update"}']).toBe(2)
    expect(series['postgres_cdc_events_processed_total{table="public.t",operation="delete"}']).toBe(1)
    expect(series['postgres_cdc_lag_seconds{pipeline="shop",table="public.t"}']).toBe(0)
    expect(series['postgres_cdc_batch_size_sum']).toBe(8)
    expect(series['postgres_cdc_batch_size_bucket{le="4"}']).toBe(0)
    expect(series['postgres_cdc_batch_size_bucket{le="16"}']).toBe(1)
    expect(series['cdc_errors_total{pipeline="shop",error_type="store"}']).toBe(0)
    expect(Object.keys(METRICS).slice(0, 4)).toEqual([
      'postgres_cdc_events_processed_total',
      'postgres_cdc_lag_seconds',
      'postgres_cdc_batch_size',
      'cdc_errors_total',
    ])
    expect(await metrics.registry.text()).toContain('# TYPE postgres_cdc_lag_seconds gauge')
  })

  test('adds up how long brokers told us to wait', async () => {
    const { metrics, watch } = bound(new Watched())
    const throttled = 'cdc_kafka_throttled_seconds_total{pipeline="shop"}'
    expect((await seriesOf(metrics))[throttled]).toBe(0)
    for (const throttledMs of [250, 1000]) watch.observe({ kind: 'source-throttled', throttledMs })
    expect((await seriesOf(metrics))[throttled]).toBe(1.25)
  })

  test('shows what can happen as 0 before it has happened', async () => {
    const series = await seriesOf(new Watched(['public.t', 'public.u']).metrics)
    for (const table of ['public.t', 'public.u']) {
      expect(series[`postgres_cdc_events_processed_total{table="${table}",operation="delete"}`]).toBe(0)
      expect(series[`cdc_commits_total{table="${table}",result="failed"}`]).toBe(0)
    }
    for (const type of ERROR_TYPES) {
      expect(series[`cdc_errors_total{pipeline="shop",error_type="${type}"}`]).toBe(0)
    }
    expect(series['cdc_fenced_total']).toBe(0)
    expect(series['cdc_ambiguous_commits_total{resolved="no"}']).toBe(0)
  })

  test('tells the lag of what is pending, 0 when nothing is, and the age of a table that stands', async () => {
    const { clock, look } = bound(new Watched())
    const nowMs = clock.nowMs()
    const series = await look(
      pipelineSample({
        work: {
          tables: [
            tableSample('public.t', { pendingSinceMs: nowMs - 7000, pendingEvents: 3 }),
            tableSample('public.idle'),
            tableSample('public.ahead', { pendingSinceMs: nowMs + 60_000 }),
            tableSample('public.stands', {
              state: 'stopped',
              stopped: { code: 'E_OFFSET_GAP', message: '' },
              parked: 17,
              durableMs: nowMs - 90_000,
            }),
          ],
        },
      }),
    )
    const lagOf = (table: string) =>
      series[`postgres_cdc_lag_seconds{pipeline="shop",table="public.${table}"}`]
    expect(lagOf('t')).toBeGreaterThanOrEqual(7)
    expect(lagOf('t')).toBeLessThan(60)
    expect(lagOf('idle')).toBe(0)
    expect(lagOf('ahead')).toBe(0)
    expect(lagOf('stands')).toBeGreaterThanOrEqual(90)
    expect(series['cdc_table_stopped{table="public.stands"}']).toBe(1)
    expect(series['cdc_offset_gap{table="public.stands"}']).toBe(1)
    expect(series['cdc_table_parked_records{table="public.stands"}']).toBe(17)
  })

  test('tells how a table grows, how far the topics are ahead, and what a slot holds back', async () => {
    const series = await new Watched().look(pipelineSample({ work: { tables: [tableSample('public.t')] } }))
    expect(series['cdc_delta_deleted_ratio{table="public.t"}']).toBe(0.25)
    expect(series['cdc_delta_files{table="public.t"}']).toBe(4)
    expect(series['cdc_delta_tombstones{table="public.t"}']).toBe(9)
    expect(series['cdc_kafka_lag_records{topic="shop.public.t",partition="0"}']).toBe(15)
    expect(series['cdc_slot_retained_bytes{slot="dbz"}']).toBe(4096)
    expect(series['cdc_slot_active{slot="dbz"}']).toBe(0)
  })

  test('counts records and letters by what became of them, each once however often it is asked', async () => {
    const watched = new Watched()
    const letters = new Map([['BAD_JSON', 2]])
    const work = {
      tally: { ...emptyTally(), applied: 7, deadLetters: 2 },
      tables: [tableSample('public.t', { letters })],
    }
    await watched.look(pipelineSample({ work }))
    watched.clock.now += 60_000
    const series = await watched.look(
      pipelineSample({ work: { ...work, tally: { ...work.tally, applied: 9 } } }),
    )
    expect(series['cdc_records_total{pipeline="shop",outcome="applied"}']).toBe(9)
    expect(series['cdc_dlq_records_total{table="public.t",reason="BAD_JSON"}']).toBe(2)
    expect(series['cdc_errors_total{pipeline="shop",error_type="decode"}']).toBe(2)
  })

  test('tells what the last checks of a table have found, and when it was last proven equal', async () => {
    const watched = new Watched()
    const past = (
      check: PastCheck['check'],
      verdict: PastCheck['verdict'],
      startedMs: number,
      mismatches = 0,
    ) => ({
      ...{ run: 'r', startedMs, table: 'public.t', check, verdict, detail: null, durationMs: 1500 },
      ...{ version: 3, sourceRows: 9, lakeRows: 9, mismatches, deferred: 0 },
      verifiedThrough:
        verdict === 'equal' && check === 'checksum' ? { lsn: '0/10', atMs: startedMs - 500 } : null,
    })
    watched.proofs = [
      past('checksum', 'different', 9000, 2),
      past('row-count', 'equal', 8000),
      past('checksum', 'equal', 7000),
      past('checksum', 'equal', 5000),
    ]
    const sample = pipelineSample({ work: { tables: [tableSample('public.t')] } })
    await watched.look(sample)
    watched.clock.now += 60_000
    const series = await watched.look(sample)
    expect(series['cdc_dq_mismatched_rows{table="public.t",kind="checksum"}']).toBe(2)
    expect(series['cdc_dq_mismatched_rows{table="public.t",kind="row-count"}']).toBe(0)
    expect(series['cdc_dq_last_success_timestamp_seconds{table="public.t"}']).toBe(7)
    expect(series['cdc_dq_verified_through_timestamp_seconds{table="public.t"}']).toBe(6.5)
    expect(series['cdc_dq_duration_seconds{table="public.t",kind="checksum"}']).toBe(1.5)
  })

  test('bounds the tables that have a label of their own', () => {
    const names = new BoundedNames(2)
    expect(['a', 'b', 'c', 'a', 'd'].map((name) => names.label(name))).toEqual([
      ...['a', 'b', '__other__', 'a', '__other__'],
    ])
  })
})

test.each([
  ['E_KAFKA_UNREACHABLE', 'source'],
  ['E_OFFSET_GAP', 'source'],
  ['E_DEAD_LETTER_STORM', 'decode'],
  ['E_SCHEMA_CHANGED', 'schema'],
  ['E_STORE_BUSY', 'store'],
  ['E_DISK_FULL', 'store'],
  ['E_FENCED', 'commit'],
  ['E_FOREIGN_TABLE', 'table'],
  ['E_BUG', 'internal'],
])('%s is an error of the %s', async (code, type) => {
  expect(errorType(code)).toBe(type)
  const { watch, metrics } = new Watched()
  watch.observe({ kind: 'table-stopped', table: 'public.t', code })
  expect((await seriesOf(metrics))[`cdc_errors_total{pipeline="shop",error_type="${type}"}`]).toBe(1)
})

function bound(watched: Watched) {
  return { ...watched, look: (sample: PipelineSample) => watched.look(sample) }
}
