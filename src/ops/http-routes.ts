import { Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { secureHeaders } from 'hono/secure-headers'
import type { Secret } from '../config/secret.ts'
import type { PipelineHealth } from './pipeline-sample.ts'
import type { PipelineWatch } from './pipeline-watch.ts'
import type { ProcessMetrics } from './process-metrics.ts'
import { statusReport } from './status-report.ts'

/** A file of the status page. */
export interface PageFile {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface RoutesOptions {
  readonly watches: readonly PipelineWatch[]
  readonly metrics: ProcessMetrics
  readonly version: string
  /** As a person would write it. */
  readonly lake: string
  /** What whoever asks for metrics has to show. */
  readonly metricsToken?: Secret | undefined
  /** By name; `null`: there is no such file. */
  readonly pageFile: (name: string) => Promise<PageFile | null>
}

/** The pages of a process. They only tell: nothing can be changed through them. */
export function httpRoutes(options: RoutesOptions): Hono {
  const { watches, metrics, version, lake, metricsToken, pageFile } = options
  const app = new Hono()
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'self'"] },
      crossOriginResourcePolicy: 'same-origin',
    }),
  )
  const judge = async () => {
    const samples = await Promise.all(watches.map((watch) => watch.sample()))
    return samples.map((sample, i) => ({ name: watches[i]!.name, health: sample?.health ?? null }))
  }
  app.get('/health', async (c) => {
    const pipelines = await judge()
    const state = worst(pipelines.map(({ health }) => health))
    const isWell = state === 'running' || state === 'degraded'
    return c.json({ status: state, version, pipelines: pipelines.map(flat) }, isWell ? 200 : 503)
  })
  app.get('/health/ready', async (c) => answer(c, await judge(), ({ isReady }) => isReady))
  app.get('/ready', async (c) => {
    const isReady = (await judge()).every(({ health }) => health?.isReady === true)
    return isReady ? c.json({ status: 'ok' }) : c.json({ status: 'not ready' }, 503)
  })
  app.get('/health/live', async (c) => answer(c, await judge(), ({ isLive }) => isLive, true))
  if (metricsToken !== undefined) app.use('/metrics', bearerAuth({ token: metricsToken.reveal() }))
  app.get('/metrics', async (c) => {
    await Promise.all(watches.map((watch) => watch.sample()))
    return c.body(await metrics.registry.text(), 200, { 'content-type': metrics.registry.contentType })
  })
  app.get('/api/status', async (c) => {
    const pipelines = await Promise.all(watches.map(statusReport))
    return c.json({ version, lake, pipelines }, 200, { 'cache-control': 'no-store' })
  })
  const page = async (name: string) => {
    const file = await pageFile(name)
    if (file === null) return new Response('there is no such page\n', { status: 404 })
    return new Response(file.bytes, { headers: { 'content-type': file.type, 'cache-control': 'no-cache' } })
  }
  app.get('/', () => page('status.html'))
  app.get('/assets/:name', (c) => page(c.req.param('name')))
  return app
}

interface Judged {
  readonly name: string
  /** `null`: it is being opened. */
  readonly health: PipelineHealth | null
}

function answer(
  c: { json(body: object, status: 200 | 503): Response },
  pipelines: readonly Judged[],
  isWell: (health: PipelineHealth) => boolean,
  ofUnopened = false,
): Response {
  const isAll = pipelines.every(({ health }) => (health === null ? ofUnopened : isWell(health)))
  return c.json({ status: isAll ? 'ok' : 'failing', pipelines: pipelines.map(flat) }, isAll ? 200 : 503)
}

function flat({ name, health }: Judged) {
  return { name, state: health?.state ?? 'starting', reasons: health?.reasons ?? [] }
}

const SEVERITY = ['running', 'degraded', 'starting', 'stopped'] as const

function worst(all: readonly (PipelineHealth | null)[]): (typeof SEVERITY)[number] {
  const states = all.map((health) => SEVERITY.indexOf(health?.state ?? 'starting'))
  return SEVERITY[Math.max(...states, 0)]!
}
