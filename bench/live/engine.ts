import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ORDERS_COLUMNS } from '../../src/bench/made-up-orders.ts'
import type { StoreSettings } from '../../src/config/config.ts'
import { startChild } from '../children.ts'
import { WORK } from '../places.ts'
import { BROKER, STATE } from './rig.ts'

export const PIPELINE = 'bench'

export interface EngineSettings {
  readonly name: string
  readonly lake: string
  readonly store: StoreSettings
  readonly topics: readonly string[]
  readonly group: string
  readonly tables: Readonly<Record<string, object>>
  /** Cores that it may use, as `taskset` names them. */
  readonly cores?: string
  readonly untilEnd?: boolean
}

/** Rows of made-up orders, whose records carry no schemas. */
export const ORDERS_SETTINGS = { key: ['id'], columns: ORDERS_COLUMNS, decimalHandling: 'string' }

/** The command line as people run it. */
export class Engine {
  readonly pid: number
  readonly ended: Promise<void>
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, name: string) {
    this.#process = child
    this.pid = child.pid!
    let said = ''
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (bytes: Buffer) => {
        said = (said + bytes.toString()).slice(-4000)
      })
    }
    this.ended = new Promise((resolve, reject) => {
      child.on('close', (code) => {
        if (code === 0) resolve()
        else reject(new Error(`${name} ended with ${code}: ${said}`))
      })
    })
    // Whoever waits for it is told.
    this.ended.catch(() => {})
  }

  static start({ name, lake, store, topics, group, tables, cores, untilEnd }: EngineSettings): Engine {
    const config = join(STATE, `${name}.yaml`)
    const source = { kafka: { brokers: [BROKER], topics, groupId: group, fetch: { maxWait: '100ms' } } }
    const pipeline = { source, freshness: '1s', tables }
    writeFileSync(config, JSON.stringify({ lake, store, pipelines: { [PIPELINE]: pipeline } }))
    const cli = [join(WORK, 'js/src/cli/main.js'), 'ingest', '-c', config, '--state', join(STATE, name)]
    const argv = [process.execPath, ...cli, ...(untilEnd === true ? ['--until-end', '--json'] : [])]
    const [command, ...args] = cores === undefined ? argv : ['taskset', '-c', cores, ...argv]
    return new Engine(startChild(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] }), name)
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM')
    await this.ended
  }
}
