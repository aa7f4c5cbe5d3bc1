import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { GrowingTopics } from './growing-topics.ts'

const MAIN = resolve(import.meta.dirname, '../../../dist/src/cli/main.js')
const TABLES = ['customers', 'orders', 'order_items', 'products', 'payments']

/** The engine as it is shipped, on topics that grow all the time, with a database whose slot it looks at. */
export class WatchedEngine {
  readonly topics: GrowingTopics
  readonly url: string
  readonly #directory = mkdtempSync(join(tmpdir(), 'alluvium-ops-'))
  readonly #process: ChildProcess
  readonly #quiet = new AbortController()
  #growing: Promise<void>
  #stderr = ''

  constructor(port: number, database: string) {
    this.url = `http://127.0.0.1:${port}`
    this.topics = new GrowingTopics(join(this.#directory, 'topics'))
    const config = join(this.#directory, 'alluvium.yaml')
    const table = { key: ['id'], columns: { id: 'bigint', v: 'text' } }
    writeFileSync(
      config,
      JSON.stringify({
        lake: join(this.#directory, 'lake'),
        pipelines: {
          'postgres-cdc': { source: { files: join(this.#directory, 'topics') }, tables: { '*': table } },
        },
        dq: { source: database },
        http: { listen: `127.0.0.1:${port}` },
      }),
    )
    this.topics.heartbeat()
    this.#growing = this.#grow()
    const { PATH = '' } = process.env
    this.#process = spawn(process.execPath, [MAIN, 'ingest', '-c', config], { env: { PATH } })
    this.#process.stderr!.on('data', (part) => {
      this.#stderr += part
    })
  }

  async ready(): Promise<void> {
    for (const endMs = Date.now() + 30_000; ; await after(200)) {
      const answer = await fetch(`${this.url}/ready`).catch(() => null)
      if (answer?.ok) return
      if (Date.now() > endMs) throw new TypeError(`never ready: ${await answer?.text()} ${this.#stderr}`)
    }
  }

  /** Nothing is written any more. */
  async hush(): Promise<void> {
    this.#quiet.abort()
    await this.#growing
  }

  async end(): Promise<number | null> {
    await this.hush()
    const ended = new Promise<number | null>((done) => this.#process.once('exit', done))
    this.#process.kill('SIGTERM')
    const code = await ended
    rmSync(this.#directory, { recursive: true, force: true })
    return code
  }

  async #grow(): Promise<void> {
    const ids = new Map<string, number>()
    for (let round = 0; !this.#quiet.signal.aborted; round++) {
      for (const [i, table] of TABLES.entries()) {
        for (let n = 0; n < 20 - 3 * i; n++) {
          const id = (ids.get(table) ?? 0) + 1
          ids.set(table, id)
          this.topics.change(table, 'c', id)
          if (n % 3 === 1) this.topics.change(table, 'u', id - 1)
          if (n % 7 === 6) this.topics.change(table, 'd', id - 2)
        }
      }
      if (round % 4 === 0) this.topics.heartbeat()
      if (round === 3) this.topics.unreadable('orders')
      await after(250)
    }
  }
}
