import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import { serve } from '@hono/node-server'
import { EngineError } from '../../core/errors.ts'
import type { ListenAddress } from '../config/config-schema.ts'
import type { PageFile, RoutesOptions } from '../ops/http-routes.ts'
import { httpRoutes } from '../ops/http-routes.ts'
import { systemCode } from './fs-error.ts'

export interface HttpServer {
  /** With the port that the system gave, where 0 was asked. */
  readonly address: ListenAddress
  close(): Promise<void>
}

/** Nobody who is slow or sends much holds a socket for longer. */
const LIMITS = { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000, maxHeaderSize: 8192 }

/** @throws EngineError `E_HTTP_LISTEN` (stop) when the address cannot be had */
export async function startHttpServer(
  listen: ListenAddress,
  options: Omit<RoutesOptions, 'pageFile'>,
): Promise<HttpServer> {
  const app = httpRoutes({ ...options, pageFile: readPageFile })
  const { host, port } = listen
  return new Promise((resolve, reject) => {
    const started = serve({ fetch: app.fetch, hostname: host, port, serverOptions: LIMITS }, (info) => {
      resolve({ address: { host, port: info.port }, close: () => closeServer(started as Server) })
    }) as Server
    started.unref()
    started.once('error', (error) => reject(cannotListen(listen, error)))
  })
}

function cannotListen({ host, port }: ListenAddress, error: Error): EngineError {
  const taken = systemCode(error) === 'EADDRINUSE'
  const why = taken ? 'somebody listens there already' : error.message
  const message = `cannot serve the status page on ${host}:${port}: ${why}; name another address in http.listen`
  return new EngineError('E_HTTP_LISTEN', 'stop', message, {}, error)
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

const PAGE = new URL('../ops/page/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}
const PAGE_FILES: Readonly<Record<string, URL | string>> = {
  ...Object.fromEntries(
    ['status.html', 'status.css', 'status.js', 'curves.js', 'format.js', 'table-list.js', 'icon.svg'].map(
      (name) => [name, new URL(name, PAGE)],
    ),
  ),
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
}

/** The files of the page lie beside the code; the curves come from a package that is installed with us. */
async function readPageFile(name: string): Promise<PageFile | null> {
  const place = Object.hasOwn(PAGE_FILES, name) ? PAGE_FILES[name] : undefined
  if (place === undefined) return null
  const path = typeof place === 'string' ? createRequire(import.meta.url).resolve(place) : place
  return { type: TYPES[name.slice(name.lastIndexOf('.') + 1)]!, bytes: Uint8Array.from(await readFile(path)) }
}
