import { readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Logger } from '../../core/ports.ts'
import type { Column } from '../../schemas/change-event.ts'
import { type Cell, type StructType, struct } from '../../schemas/delta-types.ts'
import { parsePostgresType } from '../../schemas/postgres-types.ts'
import { openPorts } from '../../src/engine.ts'
import { DATA_FILE, dataFilePath } from '../../writers/data-file.ts'
import type { Action, AddFile } from '../../writers/delta/actions.ts'
import { joinTablePath } from '../../writers/delta/log-path.ts'
import { encodeStatistics } from '../../writers/delta/statistics.ts'
import { statisticsColumns } from '../../writers/delta/table-properties.ts'
import { ColumnSet } from '../../writers/parquet/column-set.ts'
import { ParquetFileEncoder } from '../../writers/parquet/encode-parquet.ts'
import { openParquet } from '../../writers/parquet/read-parquet.ts'
import { systemReader } from '../../writers/system-cells.ts'
import { rowShape } from '../../writers/table/table-layout.ts'
import { TableLog, type TableLogPorts } from '../../writers/table-log.ts'
import { deltaProperties } from '../../writers/table-properties.ts'
import { firstState, metadataActions, type TableState } from '../../writers/table-state.ts'
import { benchConfig, ORDERS, ORDERS_PATH, ordersContract } from './orders-table.ts'

/**
 * Lays down the table that a workload begins with, as an initial load would: the base rows in files of our own writer,
 * in the order of their keys, one commit. Not measured.
 */

/** A file holds this many: close to the size that merging aims at. */
const FILE_ROWS = 3_000_000
const GROUP_ROWS = 64_000
/** Before every event of the workloads. */
const SNAPSHOT_LSN = 24_000_000n
const SNAPSHOT_TIME_US = 1_767_225_600_000_000n

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

interface World {
  readonly ports: TableLogPorts
  readonly state: TableState
  readonly configuration: Readonly<Record<string, string>>
}

async function layBase(base: string, lake: string): Promise<void> {
  const config = benchConfig({ lake, mode: 'upsert', batchRows: null, merging: 'on' })
  const contract = ordersContract(config.pipelines[0]!)
  const ports = await openPorts(config, SILENT, undefined)
  const columns = Object.entries(contract.columns!).map(
    ([name, type]): Column => ({ name, type: parsePostgresType(type, name).type, hasDefault: false }),
  )
  const state = firstState(ORDERS, contract, ['id'], [rowShape(columns)])
  const world = { ports, state, configuration: deltaProperties(contract) }
  const files = await writeFiles(join(base, 'base'), world)
  const log = await TableLog.open(ports, ORDERS_PATH)
  const nowMs = ports.clock.nowMs()
  const metadata = metadataActions(state, contract, null, ports.random.uuid(), nowMs)
  await log.commit(
    async () => ({
      operation: 'WRITE',
      metrics: {},
      actions: [...metadata, ...files] as Action[],
      ours: { kind: 'append', touched: new Set(), appIds: new Set() },
    }),
    async () => {},
  )
}

async function writeFiles(directory: string, world: World): Promise<AddFile[]> {
  const { layout } = world.state
  const position = { epoch: 0, seq: SNAPSHOT_LSN, lsn: SNAPSHOT_LSN }
  const system = layout.system.map(({ name }) =>
    systemReader(name)!({ position, sourceTimeUs: SNAPSHOT_TIME_US }),
  )
  const stored = struct(layout.schema.fields.slice(0, layout.shape.columns.length))
  const files: AddFile[] = []
  let file = new GrowingFile(layout.schema)
  for await (const columns of baseColumns(directory, stored)) {
    file.add(columns, system)
    if (file.rowCount < FILE_ROWS) continue
    files.push(await file.store(world))
    file = new GrowingFile(layout.schema)
  }
  if (file.rowCount > 0) files.push(await file.store(world))
  return files
}

async function* baseColumns(
  directory: string,
  schema: StructType,
): AsyncGenerator<readonly (readonly Cell[])[]> {
  for (const name of readdirSync(directory).sort()) {
    const file = await open(join(directory, name))
    const read = async (start: number, end: number) => {
      const bytes = new Uint8Array(end - start)
      await file.read(bytes, 0, bytes.length, start)
      return bytes
    }
    const reader = await openParquet({ sizeBytes: (await file.stat()).size, read })
    for await (const { columns } of reader.batches(schema)) yield columns
    await file.close()
  }
}

/** A data file on its way to the store. */
class GrowingFile {
  readonly #schema: StructType
  readonly #encoder: ParquetFileEncoder
  rowCount = 0

  constructor(schema: StructType) {
    this.#schema = schema
    this.#encoder = new ParquetFileEncoder(schema, { ...DATA_FILE, rowGroupRows: GROUP_ROWS })
  }

  add(columns: readonly (readonly Cell[])[], system: readonly Cell[]): void {
    const count = columns[0]!.length
    for (let from = 0; from < count; from += GROUP_ROWS) {
      const rows = Array.from({ length: Math.min(GROUP_ROWS, count - from) }, (_, i) => i + from)
      const repeated = system.map((cell) => new Array<Cell>(count).fill(cell))
      const group = new ColumnSet(this.#schema, rows.length)
      group.appendColumns([...columns, ...repeated], rows)
      for (const _ of this.#encoder.add(group));
    }
    this.rowCount += count
  }

  async store({ ports, configuration }: World): Promise<AddFile> {
    const { bytes, rowCount, statistics } = this.#encoder.finish()
    const path = dataFilePath(ports.random.uuid())
    await ports.store.put('data.put', joinTablePath(ORDERS_PATH, path), bytes)
    return {
      kind: 'add',
      path,
      partitionValues: {},
      size: bytes.length,
      modificationTime: ports.clock.nowMs(),
      dataChange: true,
      stats: encodeStatistics(rowCount, statistics, statisticsColumns(configuration)),
    }
  }
}

const { values } = parseArgs({ options: { base: { type: 'string' }, lake: { type: 'string' } } })
await layBase(values.base!, values.lake!)
