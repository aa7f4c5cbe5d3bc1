import { EngineError } from '../../core/errors.ts'
import type { ObjectStore } from '../../core/ports.ts'
import type { CheckedTable } from '../../dq/checked-table.ts'
import { sourceFields } from '../../dq/compared-table.ts'
import { DEFAULT_LIMITS } from '../../dq/dq-ports.ts'
import { fillColumns } from '../../dq/fill-columns.ts'
import { ProofLog } from '../../dq/proof-log.ts'
import type { CheckResult } from '../../dq/verdict.ts'
import { DeltaTable } from '../../writers/table/delta-table.ts'
import { selectPipeline } from '../config/select-pipeline.ts'
import { abortOnSignals } from '../io/signals.ts'
import { systemClock } from '../io/system-clock.ts'
import { systemRandom } from '../io/system-random.ts'
import { checkedTables, openDq } from '../open-dq.ts'
import { commandLogger } from './command-logger.ts'
import type { CliContext } from './context.ts'
import { dqResultLines } from './dq-result-lines.ts'
import { EXIT_OF } from './dq-run.ts'
import type { ExitCode } from './exit-code.ts'
import { type LakeOptions, openLakeOf } from './lake-options.ts'
import { takersOf } from './moment-rows-taker.ts'
import { openTablePorts } from './open-table-ports.ts'
import { toJson } from './output.ts'

export interface ColumnsOptions extends LakeOptions {
  readonly pipeline?: string
  readonly tables?: readonly string[]
  readonly columns: readonly string[]
  readonly rowsPerSecond?: number
}

/** `alluvium backfill --columns`: of a table that is there, beside its stream. */
export async function backfillColumns(options: ColumnsOptions, context: CliContext): Promise<ExitCode> {
  const { stdout, stderr } = context
  if (options.tables?.length !== 1) throw columnsOfMany()
  const lake = await openLakeOf(options, context)
  const { config, store } = lake
  const pipeline = selectPipeline(config, { name: options.pipeline })
  const logger = commandLogger({ stderr })
  await using dq = await openDq({ config, pipeline, store, clock: systemClock, logger, slot: null })
  const [table] = await checkedTables(dq, options.tables)
  await refuseUnknown(dq.ports.store, table!, options.columns)
  const ports = await openTablePorts(lake, context)
  const limits = { ...DEFAULT_LIMITS, rowsPerSecond: options.rowsPerSecond ?? null }
  const results: CheckResult[] = []
  const startedMs = systemClock.nowMs()
  const signals = abortOnSignals()
  try {
    const ask = { waitMs: limits.waitMs, signal: signals.signal }
    const through = takersOf(ports, pipeline, dq.topics, ask)
    for await (const result of fillColumns(dq.ports, limits, table!, options.columns, through)) {
      results.push(result)
      if (options.json !== true) for (const line of dqResultLines(result)) stdout.write(line)
      if (signals.signal.aborted) break
    }
  } finally {
    signals.release()
  }
  await new ProofLog(ports, pipeline.name).write(systemRandom.uuid(), startedMs, results)
  const { verdict } = results.at(-1)!
  if (options.json === true) stdout.write(`${toJson({ verdict, results })}\n`)
  return signals.exitCode() ?? EXIT_OF[verdict]
}

async function refuseUnknown(
  store: ObjectStore,
  { name, source, path }: CheckedTable,
  columns: readonly string[],
): Promise<void> {
  const fields = sourceFields((await DeltaTable.open(store, path))!.schema)
  const known = source.columns.filter((column) => fields.has(column.name)).map((column) => column.name)
  const unknown = columns.find((column) => !known.includes(column))
  if (unknown === undefined) return
  const message = `the source and the lake do not both have a column ${unknown} in ${name}: the lake has it from the first event on that tells it`
  throw new EngineError('E_BACKFILL_COLUMN', 'usage', message)
}

function columnsOfMany(): EngineError {
  return new EngineError('E_BACKFILL_TABLE', 'usage', '--columns is about one table: name it by --tables')
}
