import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { run } from '../contestant.ts'
import { compiled, PYTHON, script } from '../places.ts'
import { Engine, ORDERS_SETTINGS } from './engine.ts'
import { brokerCpuSeconds, createTopic, STATE } from './rig.ts'

/** Eight tables read to their end by some processes, each held to one core. */
export interface ScaleOutRun {
  readonly processes: number
  readonly seconds: number
  readonly changesPerSecond: number
  readonly brokerCpuSeconds: number
  /** Rows that delta-rs finds in all tables, against what the changes leave. */
  readonly rows: number
  readonly rowsExpected: number
}

export interface ScaleOut {
  readonly changes: number
  readonly runs: readonly ScaleOutRun[]
}

const TABLES = Array.from({ length: 8 }, (_, i) => `orders_${i + 1}`)
const INITIAL_ROWS = 40_000
const CHANGES = 40_000
const CORES = 2

export async function measureScaleOut(): Promise<ScaleOut> {
  const rowCounts: number[] = []
  for (const table of TABLES) rowCounts.push(await fill(table))
  const rowsExpected = rowCounts.reduce((sum, count) => sum + count, 0)
  const changes = TABLES.length * (INITIAL_ROWS + CHANGES)
  const runs: ScaleOutRun[] = []
  for (const processes of [1, 2, 4]) runs.push(await readAll(processes, changes, rowsExpected))
  return { changes, runs }
}

const topicOf = (table: string): string => `shop.public.${table}`

/** @returns rows that the table will have */
async function fill(table: string): Promise<number> {
  await createTopic(topicOf(table))
  // At once: a rate that is never kept.
  const size = ['--initial-rows', INITIAL_ROWS, '--rate', CHANGES * 1000, '--seconds', 0.001].map(String)
  const args = [compiled('live/put-changes.js'), '--topic', topicOf(table), '--table', table, ...size]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return (JSON.parse(stdout) as { rowCount: number }).rowCount
}

async function readAll(processes: number, changes: number, rowsExpected: number): Promise<ScaleOutRun> {
  const lake = join(STATE, `lake-${processes}`)
  const tables = Object.fromEntries(TABLES.map((table) => [`public.${table}`, ORDERS_SETTINGS]))
  const broker = brokerCpuSeconds()
  const startMs = Date.now()
  const engines = Array.from({ length: processes }, (_, i) =>
    Engine.start({
      ...{ name: `scale-${processes}-${i}`, lake, store: { pathStyle: false }, topics: TABLES.map(topicOf) },
      ...{ group: `scale-${processes}`, tables, cores: String(i % CORES), untilEnd: true },
    }),
  )
  await Promise.all(engines.map(({ ended }) => ended))
  const seconds = (Date.now() - startMs) / 1000
  return {
    processes,
    seconds: Number(seconds.toFixed(2)),
    changesPerSecond: Math.round(changes / seconds),
    brokerCpuSeconds: Number((brokerCpuSeconds() - broker).toFixed(2)),
    rows: countRows(lake),
    rowsExpected,
  }
}

function countRows(lake: string): number {
  const tables = TABLES.map((table) => join(lake, 'public', table))
  const printed = run(PYTHON, [
    script('peers/scan.py'),
    '--reader',
    'delta-rs',
    '--times',
    '0',
    '--tables',
    ...tables,
  ])
  const counts = (JSON.parse(printed) as { tables: readonly { rows: number }[] }).tables
  return counts.reduce((sum, { rows }) => sum + rows, 0)
}
