import { EngineError } from '../core/errors.ts'
import type { Logger } from '../core/ports.ts'
import type { TableId } from '../schemas/change-event.ts'
import { parseTableName } from '../schemas/postgres-name.ts'
import { tablePath } from '../schemas/table-path.ts'
import type { TableLogPorts } from '../writers/table-log.ts'
import type { BackfilledTable } from './backfill/backfill-table.ts'
import { type Config, contractFor, type PipelineConfig } from './config/config.ts'
import { sourceConnection } from './config/source-connection.ts'
import { openPipelineSource, openWritingPorts } from './engine.ts'
import { runningProcesses } from './pipeline/process-sign.ts'
import { readReplicationSlots } from './postgres/cdc-readiness.ts'
import { PostgresConnectionManager } from './postgres/connection-manager.ts'

export interface BackfillSettings {
  readonly config: Config
  readonly pipeline: PipelineConfig
  readonly logger: Logger
  readonly workers: number
  readonly stateDirectory: string
  readonly failpoint: string | undefined
  /** Nothing streams the tables, now or later. */
  readonly withoutStream: boolean
}

/** What backfills share. */
export interface OpenBackfill extends AsyncDisposable {
  readonly ports: TableLogPorts
  readonly database: PostgresConnectionManager
  /**
   * The tables that are meant, as the source has them.
   *
   * @param names `schema.table`
   * @param where which rows of them; `null`: all
   */
  tables(names: readonly string[], where: string | null): Promise<readonly BackfilledTable[]>
}

/** Beside the readers: one holds the moment, two prove, one asks for the strain. */
const CONNECTIONS_BESIDE = 4

/**
 * Connects backfills to the source and the lake of a pipeline, of which no process runs.
 *
 * @throws EngineError `E_NO_SOURCE`, `E_NO_SLOT`, `E_BACKFILL_OWNER` (usage)
 */
export async function openBackfill(settings: BackfillSettings): Promise<OpenBackfill> {
  const { config, pipeline, logger, workers, stateDirectory } = settings
  const connection = sourceConnection(config, pipeline)
  const locator = { stateDirectory, memory: config.locator.memory }
  const ports = await openWritingPorts(config, logger, { failpoint: settings.failpoint, locator })
  const running = await runningProcesses(ports.store, ports.clock, pipeline.name)
  if (running.length > 0) throw hasOwner(pipeline.name)
  const poolSize = workers + CONNECTIONS_BESIDE
  const database = new PostgresConnectionManager({ connectionString: connection, poolSize })
  try {
    if (!settings.withoutStream) await refuseWithoutSlot(config, pipeline, database)
    const prefixes = await topicPrefixes(settings)
    return {
      ports,
      database,
      tables: async (names, where) => {
        const [row] = await database.query('backfill.database', 'SELECT current_database() AS name')
        const from = { database, databaseName: row!['name']!, prefixOf: prefixes }
        const tables: BackfilledTable[] = []
        for (const name of names) tables.push({ ...(await backfilledTable(pipeline, from, name)), where })
        return tables
      },
      [Symbol.asyncDispose]: () => database.close(),
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** What the events of a table will say of where they come from. */
type PrefixOf = (table: string) => string

async function topicPrefixes(settings: BackfillSettings): Promise<PrefixOf> {
  const { config, pipeline, logger, withoutStream } = settings
  const usual = config.upstreams.get(pipeline.name)?.connector.topicPrefix ?? pipeline.name
  if (withoutStream) return () => usual
  const source = await openPipelineSource(pipeline, logger)
  try {
    const topics = [...new Set((await source.partitions()).map(({ topic }) => topic))]
    return (table) => {
      const own = topics.filter((topic) => topic.endsWith(`.${table}`))
      return own.length === 1 ? own[0]!.slice(0, -table.length - 1) : usual
    }
  } finally {
    await source.close()
  }
}

interface SourceTables {
  readonly database: PostgresConnectionManager
  readonly databaseName: string
  readonly prefixOf: PrefixOf
}

async function backfilledTable(
  pipeline: PipelineConfig,
  { database, databaseName, prefixOf }: SourceTables,
  name: string,
): Promise<Omit<BackfilledTable, 'where'>> {
  const { schema, table } = parseTableName(name)
  const id: TableId = {
    ...{ schema, table, database: databaseName },
    sourceName: prefixOf(`${schema}.${table}`),
  }
  const contract = contractFor(pipeline, `${schema}.${table}`)
  return {
    source: await database.getTableSchema(name),
    id,
    contract,
    path: tablePath(pipeline.tablePath, id),
  }
}

/** What changes between the backfill and the first record of the stream would be in neither. */
async function refuseWithoutSlot(
  config: Config,
  pipeline: PipelineConfig,
  database: PostgresConnectionManager,
): Promise<void> {
  if (pipeline.source.kind === 'files') return
  const slots = await readReplicationSlots(database)
  const meant = config.upstreams.get(pipeline.name)?.postgres.slot
  if (slots.length === 1 || slots.some(({ name }) => name === meant)) return
  const known = slots.length === 0 ? 'it has none' : `it has ${slots.map(({ name }) => name).join(', ')}`
  throw new EngineError(
    'E_NO_SLOT',
    'usage',
    `there is no replication slot ${meant ?? ''} in ${database.location} (${known}), so what changes from now on would ` +
      'be in no topic: start the connector first, with snapshot.mode=no_data; or say --without-stream',
  )
}

function hasOwner(pipeline: string): EngineError {
  return new EngineError(
    'E_BACKFILL_OWNER',
    'usage',
    `pipeline ${pipeline} runs, and its tables are its own: stop it (\`alluvium pipeline stop ${pipeline}\`) for the time ` +
      'of the backfill; what a table of a running pipeline lacks, `alluvium dq run --repair` brings',
  )
}
