import type { TableContract } from '../../schemas/contract.ts'
import type { TableLogPorts } from '../../writers/table-log.ts'
import { defaultTable } from '../config/default-config.ts'
import { Pipeline, type PipelineOptions, type RunReport } from '../pipeline/pipeline.ts'
import { MadeUpOrders, ORDERS_COLUMNS } from './made-up-orders.ts'
import { MadeUpSource } from './made-up-source.ts'
import type { RequestClock, RequestTimes } from './request-times.ts'

export type BenchMode = 'append' | 'upsert'

/** How much the engine did to one made-up table, and what it asked of the store for it. */
export interface BenchReport extends RequestTimes {
  readonly mode: BenchMode
  readonly events: number
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly commits: number
}

export interface BenchOptions {
  readonly mode: BenchMode
  /** New changes come so long; what they take to be stored is in the rates. */
  readonly timeMs: number
  readonly batch: PipelineOptions['batch']
  readonly graceMs: number
  readonly signal: AbortSignal
}

/** Rows that upserts begin with. */
const INITIAL_ROWS = 50_000

/**
 * Runs the engine on made-up changes, as fast as it takes them, into a table `<mode>/orders` of the lake.
 *
 * @param clock hears what the ports tell
 */
export async function runBench(
  ports: TableLogPorts,
  clock: RequestClock,
  { mode, timeMs, batch, graceMs, signal }: BenchOptions,
): Promise<BenchReport> {
  const orders = new MadeUpOrders({ initialRows: mode === 'append' ? null : INITIAL_ROWS })
  const source = new MadeUpSource(orders, ports.clock, timeMs)
  const pipeline = await Pipeline.open(ports, source, { ...optionsOf(mode), batch, graceMs })
  const startedMs = ports.clock.monotonicMs()
  const report = await pipeline.run({ untilEnd: false, signal, onProgress: () => {} })
  const seconds = (ports.clock.monotonicMs() - startedMs) / 1000
  const events = storedEvents(report)
  return {
    mode,
    events,
    seconds: Number(seconds.toFixed(3)),
    eventsPerSecond: Math.round(events / seconds),
    commits: clock.times.commit.count,
    ...clock.times,
  }
}

/** What a run that was cut off did not store does not count. */
function storedEvents({ records, tally }: RunReport): number {
  return records - tally.parked
}

function optionsOf(mode: BenchMode): Omit<PipelineOptions, 'batch' | 'graceMs'> {
  const contract = (name: string): TableContract => ({
    ...defaultTable(name),
    ...{ mode, key: ['id'], columns: ORDERS_COLUMNS, decimalHandling: 'string' },
  })
  return {
    name: `bench-${mode}`,
    contractFor: contract,
    tablesOf: () => [{ name: 'public.orders', table: null }],
    pathOf: ({ table }) => `${mode}/${table}`,
    takes: ['*'],
    startOf: () => undefined,
  }
}
