import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    readonly kafkaBroker: string
    /** Of the scripts below test/e2e/rig/: where the broker keeps its data and logs. */
    readonly rigEnvironment: Readonly<Record<string, string>>
  }
}

/** Starts a broker of its own for the run, in a directory that goes with it. */
export default async function brokerOfTheRun(project: TestProject): Promise<() => void> {
  const state = mkdtempSync(join(tmpdir(), 'alluvium-kafka-'))
  const [port, controller] = [await freePort(), await freePort()]
  const environment = {
    RIG_STATE: state,
    KAFKA_PORT: String(port),
    KAFKA_CONTROLLER_PORT: String(controller),
  }
  const kafka = (verb: string) =>
    execFileSync('bash', ['test/e2e/rig/kafka.sh', verb], {
      env: { ...process.env, ...environment },
      stdio: 'inherit',
    })
  kafka('start')
  project.provide('kafkaBroker', `127.0.0.1:${port}`)
  project.provide('rigEnvironment', environment)
  return () => {
    kafka('wipe')
    rmSync(state, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
