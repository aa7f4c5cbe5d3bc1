import { afterEach, describe, expect, test } from 'vitest'
import { Secret } from '../../../../src/config/secret.ts'
import { type HttpServer, startHttpServer } from '../../../../src/io/http-server.ts'
import { PipelineWatch } from '../../../../src/ops/pipeline-watch.ts'
import { ProcessMetrics } from '../../../../src/ops/process-metrics.ts'
import type { PipelineSample } from '../../../../src/pipeline/pipeline.ts'
import { HandClock } from '../../../support/test-ports.ts'
import { pipelineSample, tableSample } from '../../../support/watched-pipeline.ts'

const LOGGER = { debug() {}, info() {}, warn() {}, error() {} }
const LOOPBACK = { host: '127.0.0.1', port: 0 }

let server: HttpServer
afterEach(() => server.close())

/** @param sample `null`: the pipeline is still being opened */
async function serve(sample: PipelineSample | null, metricsToken?: Secret) {
  const metrics = new ProcessMetrics('1.2.3')
  const world = { clock: new HandClock(), logger: LOGGER }
  const watch = new PipelineWatch('shop', metrics.pipeline('shop', [], 0), world)
  const options = { watches: [watch], metrics, version: '1.2.3', lake: './lake', metricsToken }
  server = await startHttpServer(LOOPBACK, options)
  if (sample !== null) {
    const ended = new AbortController()
    const following = watch.follow(
      {
        name: 'shop',
        sample: async () => sample,
        partitions: async () => [],
        slots: async () => [],
        proofs: async () => [],
      },
      ended.signal,
    )
    ended.abort()
    await following
  }
  return async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { headers })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
}

const PATHS = ['/health', '/health/ready', '/ready', '/health/live'] as const

async function statuses(get: Awaited<ReturnType<typeof serve>>): Promise<readonly number[]> {
  return Promise.all(PATHS.map(async (path) => (await get(path)).status))
}

describe('health over HTTP', () => {
  test('is well when the pipeline runs, and /ready answers as the documents say', async () => {
    const get = await serve(pipelineSample())
    expect(await statuses(get)).toEqual([200, 200, 200, 200])
    expect(JSON.parse((await get('/ready')).text)).toEqual({ status: 'ok' })
    expect(JSON.parse((await get('/health')).text)).toMatchObject({ status: 'running', version: '1.2.3' })
  })

  test('is alive and not ready while the pipeline is being opened', async () => {
    expect(await statuses(await serve(null))).toEqual([503, 503, 503, 200])
  })

  test('is not alive when the loop stands still', async () => {
    expect(await statuses(await serve(pipelineSample({ stillMs: 3_600_000 })))).toEqual([503, 503, 503, 503])
  })

  test('names the table that stopped and stays up', async () => {
    const stopped = { code: 'E_FENCED', message: 'another process moves it' }
    const get = await serve(
      pipelineSample({ work: { tables: [tableSample('public.t', { state: 'stopped', stopped })] } }),
    )
    const health = await get('/health')
    expect(health.status).toBe(200)
    expect(JSON.parse(health.text)).toMatchObject({
      status: 'degraded',
      pipelines: [{ name: 'shop', reasons: ['table public.t stopped (E_FENCED)'] }],
    })
  })
})

test('metrics come in the format that Prometheus reads', async () => {
  const get = await serve(pipelineSample())
  const { status, headers, text } = await get('/metrics')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(text).toContain('cdc_pipeline_ready{pipeline="shop"} 1\n')
})

test('metrics are for those who show the token, where there is one; probes need none', async () => {
  const get = await serve(pipelineSample(), new Secret('a-token'))
  const asked = (authorization: string) => get('/metrics', { authorization })
  expect((await asked('Bearer a-token')).status).toBe(200)
  for (const answer of [await get('/metrics'), await asked('Bearer b-token'), await asked('Basic a-token')]) {
    expect([400, 401]).toContain(answer.status)
    expect(answer.text).not.toContain('cdc_')
  }
  expect(await statuses(get)).toEqual([200, 200, 200, 200])
})

test('the status page and all that it loads are served from here, and nothing else is', async () => {
  const get = await serve(pipelineSample())
  const page = await get('/')
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('content-security-policy')).toBe("default-src 'self'")
  expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  const seen = new Set<string>()
  const follow = async (text: string): Promise<void> => {
    for (const [, path] of text.matchAll(
      /(?:(?:src|href)="|from '\.?)(\/(?:assets\/)?[\w./-]+\.(?:js|css|svg))/g,
    )) {
      const asset = path!.startsWith('/assets/') ? path! : `/assets${path}`
      if (seen.has(asset)) continue
      seen.add(asset)
      const answer = await get(asset)
      expect([asset, answer.status]).toEqual([asset, 200])
      if (asset.endsWith('.js') && asset !== '/assets/uplot.js') await follow(answer.text)
    }
  }
  await follow(page.text)
  expect([...seen].sort()).toEqual(
    [
      'curves.js',
      'format.js',
      'icon.svg',
      'status.css',
      'status.js',
      'table-list.js',
      'uplot.css',
      'uplot.js',
    ].map((name) => `/assets/${name}`),
  )
  for (const path of ['/assets/..%2f..%2fmetrics.ts', '/assets/constructor', '/etc/passwd']) {
    expect((await get(path)).status).toBe(404)
  }
})

test('the status holds what the page draws', async () => {
  const get = await serve(pipelineSample({ work: { tables: [tableSample('public.t')] } }))
  const { pipelines } = JSON.parse((await get('/api/status')).text)
  expect(pipelines[0].tables[0]).toMatchObject({ name: 'public.t', state: 'streaming', lag: 0, curve: [0] })
  expect(pipelines[0].series.times).toHaveLength(1)
})

test('nothing can be changed through it', async () => {
  await serve(pipelineSample())
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await fetch(`http://127.0.0.1:${server.address.port}/health`, { method })
    expect([method, answer.status]).toEqual([method, 404])
  }
})

test('an address that is taken is told by name, with the cure', async () => {
  await serve(null)
  const metrics = new ProcessMetrics('1.2.3')
  const again = startHttpServer(server.address, { watches: [], metrics, version: '', lake: '' })
  await expect(again).rejects.toMatchObject({ code: 'E_HTTP_LISTEN', remedy: 'stop' })
  await expect(again).rejects.toThrow(/listens there already; name another address in http\.listen/)
})
