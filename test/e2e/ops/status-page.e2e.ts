import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HttpServer, startHttpServer } from '../../../src/io/http-server.ts'
import { systemClock } from '../../../src/io/system-clock.ts'
import { PipelineWatch } from '../../../src/ops/pipeline-watch.ts'
import { ProcessMetrics } from '../../../src/ops/process-metrics.ts'
import { emptyTally } from '../../../writers/tally.ts'
import { pipelineSample, tableSample } from '../../support/watched-pipeline.ts'
import { BrowserPage } from './browser-page.ts'

const TABLES = 1000
const LOGGER = { debug() {}, info() {}, warn() {}, error() {} }
const WIDE = { width: 1400, height: 1000 }

let server: HttpServer
let url: string
const ended = new AbortController()
const pictures = process.env['PICTURES'] ?? mkdtempSync(join(tmpdir(), 'alluvium-pictures-'))

/** A pipeline of a thousand tables of every state; their numbers move from look to look. */
function manyTables() {
  const nowMs = Date.now()
  return Array.from({ length: TABLES }, (_, i) => {
    const name = `shop.table_${String(i).padStart(4, '0')}`
    const growth = {
      ...{ files: 3 + (i % 40), smallFiles: i % 17, sizeBytes: (i + 1) * 1_234_567, storedRows: 10_000 + i },
      ...{ deletedRows: (i * 37) % 3000, vectorBytes: i * 10, tombstones: (i * 13) % 900 },
    }
    const parts = { growth, version: i, durableMs: nowMs - i * 100, logBytes: i * 1000 }
    if (i === 777) {
      const stopped = {
        code: 'E_OFFSET_GAP',
        message: 'records 10 to 99 are gone from the topic (retention)',
      }
      return tableSample(name, { ...parts, state: 'stopped', stopped })
    }
    if (i === 500) return tableSample(name, { ...parts, state: 'paused' })
    if (i === 501)
      return tableSample(name, { ...parts, state: 'catching-up', pendingSinceMs: nowMs - 90_000 })
    return tableSample(name, { ...parts, letters: new Map(i === 3 ? [['BAD_JSON', 4]] : []) })
  })
}

beforeAll(async () => {
  const metrics = new ProcessMetrics('1.2.3')
  const watch = new PipelineWatch('shop', metrics.pipeline('shop', [], Date.now()), {
    clock: systemClock,
    logger: LOGGER,
  })
  const options = { watches: [watch], metrics, version: '1.2.3', lake: 's3://lake/delta' }
  server = await startHttpServer({ host: '127.0.0.1', port: 0 }, options)
  url = `http://127.0.0.1:${server.address.port}`
  const tally = { ...emptyTally(), applied: 5_000_000, deadLetters: 4 }
  const lost = { name: 'dbz', isActive: false, isLost: true, retainedBytes: 3_000_000_000 }
  void watch.follow(
    {
      name: 'shop',
      sample: async () =>
        pipelineSample({ work: { tables: manyTables(), tally, records: 5_000_004, heldBytes: 9e6 } }),
      partitions: async () => [],
      slots: async () => [lost],
      proofs: async () => [],
    },
    ended.signal,
  )
  for (let i = 0; i < 200; i++) {
    const operations = { r: 0, c: 5, u: 3, d: 0, t: 0 }
    const phases = { planMs: 1, encodeMs: 1, putMs: 1, commitMs: 1 }
    watch.observe({
      ...{
        kind: 'batch-committed',
        table: `shop.table_${String(i).padStart(4, '0')}`,
        version: i,
        operations,
      },
      ...{
        events: 8,
        sizeBytes: 900,
        rows: { inserted: 5, updated: 3, deleted: 0 },
        stale: 0,
        duplicates: 0,
      },
      ...{ ambiguousKeyMoves: 0, oldestMs: Date.now(), startedMs: Date.now(), durationMs: 40, phases },
    })
  }
})
afterAll(async () => {
  ended.abort()
  await server.close()
  if (process.env['PICTURES'] === undefined) rmSync(pictures, { recursive: true, force: true })
})

const ROWS = "document.querySelectorAll('.tables tbody tr').length"
const FIRST = "document.querySelector('.tables tbody tr .label').textContent"

async function opened(look: { width: number; height: number; dark: boolean }): Promise<BrowserPage> {
  const page = await BrowserPage.open(url, look)
  await page.until(`${ROWS} === ${TABLES} && document.querySelectorAll('.commits tbody tr').length === 50`)
  return page
}

describe('the status page in a browser', () => {
  test('shows a thousand tables, those that need somebody first', async () => {
    const page = await opened({ ...WIDE, dark: false })
    expect(await page.evaluate(FIRST)).toBe('shop.table_0777')
    expect(await page.evaluate("document.querySelector('.tables tbody tr').innerText")).toContain(
      'E_OFFSET_GAP',
    )
    const reasons = await page.evaluate("document.querySelector('.reasons').innerText")
    expect(reasons).toMatch(/shop\.table_0777 stands: records 10 to 99 are gone/)
    expect(reasons).toContain('alluvium table resume shop.table_0777')
    expect(reasons).toContain('alluvium dlq list')
    expect(await page.evaluate("document.querySelector('.pill').textContent")).toBe('degraded')
    expect(await page.evaluate('document.title')).toBe('degraded · alluvium')
    expect(await page.evaluate("document.querySelector('.facts').innerText")).toMatch(/slot dbz\s+lost/)
    expect(await page.evaluate("document.querySelectorAll('.curve canvas').length")).toBe(3)
    await page.screenshot(join(pictures, 'thousand-tables.png'))
    expect(page.complaints).toEqual([])
    await page.close()
  })

  test('finds, sorts and keeps the order while the numbers move', async () => {
    const page = await opened({ ...WIDE, dark: true })
    const sortBy = (title: string) =>
      page.evaluate(
        `[...document.querySelectorAll('.tables th button')].find((b) => b.textContent === '${title}').click()`,
      )
    await sortBy('size')
    expect(await page.evaluate(FIRST)).toBe('shop.table_0999')
    await page.evaluate('new Promise((done) => setTimeout(done, 4500))')
    expect(await page.evaluate(FIRST)).toBe('shop.table_0999')
    await sortBy('size')
    expect(await page.evaluate(FIRST)).toBe('shop.table_0000')
    await page.evaluate(
      "{ const field = document.querySelector('input'); field.value = '_050'; field.dispatchEvent(new Event('input')) }",
    )
    expect(await page.evaluate(ROWS)).toBe(10)
    await page.screenshot(join(pictures, 'filtered-dark.png'))
    expect(page.complaints).toEqual([])
    await page.close()
  })

  test('draws a thousand tables anew in a fraction of a look', async () => {
    const page = await opened({ ...WIDE, dark: false })
    const drawMs = await page.evaluate<number>(`(async () => {
      const { TableList } = await import('/assets/table-list.js')
      const table = document.createElement('table')
      table.createTHead()
      table.createTBody()
      const list = new TableList(table, document.createElement('input'))
      const { pipelines } = await (await fetch('/api/status')).json()
      list.show(pipelines[0].tables, Date.now())
      const startedMs = performance.now()
      list.show(pipelines[0].tables.map((each, i) => ({ ...each, lag: i })), Date.now())
      return performance.now() - startedMs
    })()`)
    expect(drawMs).toBeLessThan(500)
    await page.close()
  })

  test('says what to look at while there is no table', async () => {
    const metrics = new ProcessMetrics('1.2.3')
    const watch = new PipelineWatch('bare', metrics.pipeline('bare', [], Date.now()), {
      clock: systemClock,
      logger: LOGGER,
    })
    const options = { watches: [watch], metrics, version: '1.2.3', lake: './lake' }
    const bare = await startHttpServer({ host: '127.0.0.1', port: 0 }, options)
    const page = await BrowserPage.open(`http://127.0.0.1:${bare.address.port}`, { ...WIDE, dark: true })
    const seen = "document.querySelector('.pipeline')?.innerText"
    await page.until(`${seen}?.includes('is being opened')`)
    expect(await page.evaluate(seen)).not.toMatch(/Last commits|Events/)
    void watch.follow(
      {
        ...{ name: 'bare', sample: async () => pipelineSample(), partitions: async () => [] },
        ...{ slots: async () => [], proofs: async () => [] },
      },
      ended.signal,
    )
    await page.until(`${seen}.includes('No table yet')`)
    expect(await page.evaluate(seen)).toContain('alluvium doctor')
    await page.screenshot(join(pictures, 'no-table-dark.png'))
    expect(page.complaints).toEqual([])
    await page.close()
    await bare.close()
  })

  test('fits a telephone, and says when nobody answers any more', async () => {
    const page = await opened({ width: 390, height: 800, dark: false })
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    expect(await page.evaluate(overflow)).toBe(0)
    await page.screenshot(join(pictures, 'telephone.png'))
    ended.abort()
    await server.close()
    await page.until("document.getElementById('answer').textContent.startsWith('no answer for')")
    await page.close()
  })
})
