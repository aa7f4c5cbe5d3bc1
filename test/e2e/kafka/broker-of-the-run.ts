import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type SecuredListeners, securedListeners } from './secured-listeners.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly kafkaBroker: string
    readonly securedListeners: SecuredListeners
    /** Of the scripts below test/e2e/rig/: where the broker keeps its data and logs. */
    readonly rigEnvironment: Readonly<Record<string, string>>
  }
}

/** Starts a broker of its own for the run, in a directory that goes with it. */
export default async function brokerOfTheRun(project: TestProject): Promise<() => void> {
  const state = mkdtempSync(join(tmpdir(), 'alluvium-kafka-'))
  const ports = await freePorts(6)
  const { settings, listeners } = securedListeners(state, ports)
  const environment = {
    RIG_STATE: state,
    KAFKA_PORT: String(ports[0]),
    KAFKA_CONTROLLER_PORT: String(ports[1]),
    KAFKA_MORE_SETTINGS: settings,
  }
  const kafka = (verb: string) =>
    execFileSync('bash', ['test/e2e/rig/kafka.sh', verb], {
      env: { ...process.env, ...environment },
      stdio: 'inherit',
    })
  kafka('start')
  project.provide('kafkaBroker', `127.0.0.1:${ports[0]}`)
  project.provide('securedListeners', listeners)
  project.provide('rigEnvironment', environment)
  return () => {
    kafka('wipe')
    rmSync(state, { recursive: true, force: true })
  }
}

/** All at once, so that none is given twice. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((done) => server.once('listening', done))))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}
