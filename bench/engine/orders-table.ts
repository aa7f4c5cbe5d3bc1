import { type Config, contractFor, type PipelineConfig } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse-config.ts'

/** What the workloads are about (`bench/workload/`): one table, fed by one partition. */
export const ORDERS_TOPIC = 'shop.public.orders'
export const ORDERS = { sourceName: 'shop', database: 'shop', schema: 'public', table: 'orders' }
export const ORDERS_PATH = 'public/orders'
export const PIPELINE = 'bench'

/** In the order of the base files. */
const COLUMNS = {
  id: 'bigint',
  customer: 'text',
  status: 'text',
  amount: 'numeric(12,2)',
  qty: 'integer',
  note: 'text',
  updated_at: 'timestamp',
  flag: 'boolean',
}

export interface RunSettings {
  readonly lake: string
  readonly mode: 'upsert' | 'append'
  /** Rows of a commit; `null`: as many as the engine takes by itself. */
  readonly batchRows: number | null
  readonly merging: 'on' | 'off'
}

/** The configuration of a measured run, read as a person's would be. */
export function benchConfig(settings: RunSettings): Config {
  const { lake, mode, batchRows, merging } = settings
  // No batch of a fixed size may be closed by its bytes or its age.
  const batch = batchRows === null ? {} : { batch: { rows: batchRows, bytes: '256MB', age: '10m' } }
  const table = { key: ['id'], columns: COLUMNS, decimalHandling: 'string', mode, merging }
  const pipeline = { source: { files: '.' }, ...batch, tables: { 'public.orders': table } }
  const text = JSON.stringify({ lake, pipelines: { [PIPELINE]: pipeline } })
  return parseConfig(text, 'bench', () => undefined)
}

export function ordersContract(pipeline: PipelineConfig) {
  return contractFor(pipeline, 'public.orders')
}
