import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { S3Server } from '../../test/e2e/s3/s3-server.ts'
import { compiled } from '../places.ts'
import { percentile } from '../statistics.ts'
import { agesMs } from './ages.ts'
import { Engine, ORDERS_SETTINGS } from './engine.ts'
import { brokerCpuSeconds, cpuSecondsOf, createTopic, STATE } from './rig.ts'
import { TableWatch } from './table-watch.ts'

/** How old changes are when delta-rs can read them. */
export interface Freshness {
  readonly changesPerSecond: number
  readonly changes: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Commits that delta-rs saw; it may pass over some. */
  readonly versionsSeen: number
  /** Cores kept busy. */
  readonly engineCores: number
  readonly brokerCores: number
}

interface Put {
  readonly steadyFrom: number
  readonly put: number
  readonly keptRate: number
}

const RATE = 20_000
const SECONDS = 60
const INITIAL_ROWS = 100_000
const TOPIC = 'shop.public.orders'

/** Puts changes on the broker at a steady rate while the engine lays them down on S3 and delta-rs looks. */
export async function measureFreshness(): Promise<Freshness> {
  const server = await S3Server.start()
  try {
    await createTopic(TOPIC)
    const engine = Engine.start({
      ...{ name: 'freshness', lake: `s3://${server.bucket}/lake`, store: server.settings },
      ...{ topics: [TOPIC], group: 'freshness', tables: { 'public.orders': ORDERS_SETTINGS } },
    })
    const watch = new TableWatch(server, 'public/orders', TOPIC, 1)
    const times = join(STATE, 'times')
    const before = { ms: Date.now(), engine: cpuSecondsOf(engine.pid), broker: brokerCpuSeconds() }
    const put = await putChanges(times)
    await watch.sees([put.put], 600_000)
    const seconds = (Date.now() - before.ms) / 1000
    const cores = (now: number, then: number) => Number(((now - then) / seconds).toFixed(2))
    const engineCores = cores(cpuSecondsOf(engine.pid), before.engine)
    const brokerCores = cores(brokerCpuSeconds(), before.broker)
    await watch.stop()
    await engine.stop()
    const timesMs = new Float64Array(readFileSync(times).buffer)
    const ages = agesMs(watch.sightings, 0, timesMs, put.steadyFrom)
    return { ...freshnessOf(ages, put.keptRate, watch.sightings.length), engineCores, brokerCores }
  } finally {
    await server.stop()
  }
}

export function freshnessOf(
  ages: readonly number[],
  changesPerSecond: number,
  versionsSeen: number,
): Omit<Freshness, 'engineCores' | 'brokerCores'> {
  const sorted = Float64Array.from(ages).sort()
  const at = (share: number) => Math.round(percentile(sorted, share))
  return {
    ...{ changesPerSecond, changes: ages.length, versionsSeen },
    ...{ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
  }
}

async function putChanges(times: string): Promise<Put> {
  const args = ['--topic', TOPIC, '--initial-rows', INITIAL_ROWS, '--rate', RATE, '--seconds', SECONDS]
  const argv = [compiled('live/put-changes.js'), ...args.map(String), '--times', times]
  const { stdout } = await promisify(execFile)(process.execPath, argv)
  return JSON.parse(stdout) as Put
}
